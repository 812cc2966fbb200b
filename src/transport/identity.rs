//! Whether a certificate is valid for a server's name, by the rules of Node's `tls.checkServerIdentity`.

use std::net::IpAddr;

use super::certificate::{Facts, SubjectName};

/// Whether a certificate is valid for `expected`, a name or an address. Its common names are only used if it has
/// no DNS name.
pub(super) fn is_valid_for(facts: &Facts, expected: &str) -> bool {
    if let Ok(address) = expected.parse::<IpAddr>() {
        return facts.names.contains(&SubjectName::Address(address));
    }
    let host = labels(expected);
    let mut names = dns_names(facts).peekable();
    if names.peek().is_some() {
        names.any(|name| matches(&host, name))
    } else {
        facts.common_names.iter().any(|name| matches(&host, name))
    }
}

/// The DNS names.
fn dns_names(facts: &Facts) -> impl Iterator<Item = &str> {
    facts.names.iter().filter_map(|name| match name {
        SubjectName::Dns(name) => Some(name.as_str()),
        _ => None,
    })
}

/// The alternative names in the format of Node.
pub(super) fn presented(facts: &Facts) -> Vec<String> {
    let names = facts.names.iter().map(|name| match name {
        SubjectName::Dns(name) => format!("DNS:{name}"),
        SubjectName::Address(address) => format!("IP Address:{address}"),
        SubjectName::Other(name) => name.clone(),
    });
    names.collect()
}

/// The labels of a name in lower case, without a final dot.
fn labels(name: &str) -> Vec<String> {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').map(str::to_ascii_lowercase).collect()
}

/// Whether a host name matches a name of a certificate. An asterisk in the first label matches any characters.
fn matches(host: &[String], pattern: &str) -> bool {
    let pattern = labels(pattern);
    let is_plain = |label: &String| !label.is_empty() && label.chars().all(|c| ('!'..='\u{7f}').contains(&c));
    if host.len() != pattern.len() || !pattern.iter().all(is_plain) {
        return false;
    }
    let (Some((first, rest)), Some((host_first, host_rest))) = (pattern.split_first(), host.split_first()) else {
        return false;
    };
    if rest != host_rest {
        return false;
    }
    match first.split_once('*') {
        // An asterisk in a Punycode label is an ordinary character.
        Some((before, after)) if !first.contains("xn--") => {
            // The pattern must have at least three labels and one asterisk.
            rest.len() >= 2
                && !after.contains('*')
                && host_first.len() >= before.len() + after.len()
                && host_first.starts_with(before)
                && host_first.ends_with(after)
        }
        _ => first == host_first,
    }
}

#[cfg(test)]
mod tests {
    use super::{labels, matches};

    #[test]
    fn a_wildcard_matches_a_part_of_the_first_label() {
        for (pattern, host, is_valid) in [
            ("a.test", "a.test", true),
            ("a.test.", "A.TEST", true),
            ("a.test", "b.test", false),
            ("*.a.test", "b.a.test", true),
            ("*.a.test", "c.b.a.test", false),
            ("*.a.test", "a.test", false),
            ("*.test", "a.test", false),
            ("b*.a.test", "bar.a.test", true),
            ("b*r.a.test", "bar.a.test", true),
            ("b*bar.a.test", "bar.a.test", false),
            ("*b*.a.test", "abc.a.test", false),
            ("c.*.test", "c.a.test", false),
            ("xn--*.a.test", "xn--b.a.test", false),
            ("a..test", "a..test", false),
            ("a b.test", "a b.test", false),
            ("", "", false),
        ] {
            assert_eq!(matches(&labels(host), pattern), is_valid, "{pattern} for {host}");
        }
    }
}
