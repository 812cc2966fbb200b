//! The certificates of a TLS server. No chain is valid without a root, and none whose last certificate is trusted stays
//! valid if the signature of the server's certificate is changed.

use baileys_native::transport::seams::verify_certificates;

/// Names of servers: a DNS name, an address, and a name that is no DNS name.
const NAMES: [&str; 3] = ["a.test", "127.0.0.1", "::1"];

/// A time within the validity of the certificates of the corpus, in seconds since 1970.
const NOW: u64 = 1_800_000_000;

/// `data` is a list of certificates: for each the length in two bytes, and the DER.
pub fn run(data: &[u8]) {
    let mut chain = Vec::new();
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (certificate, after) = after.split_at(usize::from(u16::from_be_bytes(*length)).min(after.len()));
        chain.push(certificate);
        rest = after;
    }
    let Some(last) = chain.last() else { return };
    for name in NAMES {
        assert!(
            verify_certificates(&chain, &[], name, NOW).is_err(),
            "valid without a root"
        );
        if verify_certificates(&chain, &[last], name, NOW).is_ok() {
            let mut changed = chain[0].to_vec();
            *changed.last_mut().expect("a certificate") ^= 1;
            let changed: Vec<&[u8]> = std::iter::once(&changed[..])
                .chain(chain[1..].iter().copied())
                .collect();
            assert!(
                verify_certificates(&changed, &[last], name, NOW).is_err(),
                "valid with a changed signature"
            );
        }
    }
}
