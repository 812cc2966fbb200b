//! The head of an HTTP response. Every way to split it into chunks gives the result of a simple parser by RFC 9112.

use baileys_native::transport::{MAX_RESPONSE_HEAD, ResponseHead, seams::parse_response};

/// `data` is the bytes of a server.
pub fn run(data: &[u8]) {
    let whole = parse_response(data);
    match &whole {
        Ok(Some((head, length))) => {
            let bytes = &data[..*length];
            assert!(bytes.ends_with(b"\r\n\r\n"));
            assert_eq!(*head, reference(bytes));
        }
        Ok(None) => assert!(data.len() < MAX_RESPONSE_HEAD, "an endless head is refused"),
        Err(_) => {}
    }
    // The first result other than "incomplete" is final. There is none before the end of the head.
    let mut first = None;
    for cut in (0..=data.len().min(512)).chain([data.len()]) {
        let part = parse_response(&data[..cut]);
        match &first {
            None if part != Ok(None) => first = Some(part),
            Some(Ok(answer)) => assert_eq!(part.as_ref(), Ok(answer), "more bytes change a head that is complete"),
            Some(Err(_)) => assert!(part.is_err(), "more bytes repair a head that is broken"),
            None => {}
        }
    }
    if let Some(Ok(answer)) = first {
        assert_eq!(whole, Ok(answer));
    }
}

/// The head, line by line.
fn reference(head: &[u8]) -> ResponseHead {
    let text: Vec<&[u8]> = split_lines(head);
    // Empty lines before the status line are skipped.
    let mut lines = text.into_iter().skip_while(|line| line.is_empty());
    let status = lines.next().expect("a status line");
    assert!(status.starts_with(b"HTTP/1."));
    let number = std::str::from_utf8(&status[9..12]).expect("three digits");
    let headers = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let colon = line.iter().position(|&byte| byte == b':').expect("a colon");
            (line[..colon].to_vec(), trim(&line[colon + 1..]).to_vec())
        })
        .collect();
    ResponseHead {
        minor_version: status[7] - b'0',
        status: number.parse().expect("a number"),
        // The parser returns no values with characters beyond ASCII.
        reason: status
            .get(13..)
            .filter(|reason| reason.is_ascii())
            .unwrap_or_default()
            .to_vec(),
        headers,
    }
}

fn split_lines(mut head: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some(end) = head.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&head[..end]);
        head = &head[end + 2..];
    }
    lines
}

/// Removes spaces and tabs at both ends.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
