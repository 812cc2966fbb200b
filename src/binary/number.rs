//! The low byte of a number that JavaScript parses from a text.
//!
//! Baileys parses the device of a JID with the unary plus and the agent with `parseInt`, and writes the result `&
//! 0xff`.

/// `+text & 0xff` for a text that is not empty. 0 if the text is not a number.
pub(super) fn to_number(text: &str) -> u8 {
    if text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .bytes()
            .fold(0, |value, digit| value * 10 + u16::from(digit - b'0')) as u8;
    }
    let text = text.trim_matches(is_space);
    if let Some((radix, digits)) = prefixed(text) {
        return if digits.chars().all(|digit| digit.is_digit(radix)) {
            low_byte_of_digits(digits, radix)
        } else {
            0
        };
    }
    // A text with other characters is infinite or not a number in JavaScript, so its low byte is 0. Rust's parser
    // accepts some of these texts, such as `inf`.
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if text.bytes().all(plain) {
        text.parse().map_or(0, low_byte)
    } else {
        0
    }
}

/// `parseInt(text) & 0xff`. 0 if the text does not start with a number.
pub(super) fn parse_int(text: &str) -> u8 {
    let text = text.trim_start_matches(is_space);
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, text) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(text) => (16, text),
        None => (10, text),
    };
    let end = text.find(|char: char| !char.is_digit(radix)).unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    let value = if radix == 10 {
        digits.parse().map_or(0, low_byte)
    } else {
        low_byte_of_digits(digits, radix)
    };
    if negative { value.wrapping_neg() } else { value }
}

/// A number literal with a prefix: the radix and the digits.
fn prefixed(text: &str) -> Option<(u32, &str)> {
    let radix = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => 16,
        [b'0', b'o' | b'O', _, ..] => 8,
        [b'0', b'b' | b'B', _, ..] => 2,
        _ => return None,
    };
    Some((radix, text.get(2..)?))
}

/// As [`low_byte`], for an integer with a radix that is a power of two. A value of more than 64 bits is a multiple of
/// 2^12 after rounding, so its low byte is 0.
fn low_byte_of_digits(digits: &str, radix: u32) -> u8 {
    u64::from_str_radix(digits, radix).map_or(0, |value| low_byte(value as f64))
}

/// The low byte of ECMAScript's `ToInt32`.
fn low_byte(value: f64) -> u8 {
    if value.is_finite() {
        value.trunc().rem_euclid(256.0) as u8
    } else {
        0
    }
}

/// ECMAScript's WhiteSpace and LineTerminator. `StringToNumber` and `parseInt` skip them.
fn is_space(char: char) -> bool {
    match char {
        '\u{85}' => false,
        '\u{feff}' => true,
        _ => char.is_whitespace(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_converted_as_by_unary_plus() {
        let cases = [
            ("0", 0),
            ("5", 5),
            ("255", 255),
            ("256", 0),
            ("999", 231),
            ("1000", 232),
            ("05", 5),
            (" 7 ", 7),
            ("\u{feff}7\u{2029}", 7),
            ("\u{85}7", 0),
            ("-1", 255),
            ("+3", 3),
            ("--3", 0),
            ("1.9", 1),
            ("-1.9", 255),
            (".5", 0),
            ("5.", 5),
            (".", 0),
            ("1e2", 100),
            ("1e", 0),
            ("e1", 0),
            ("0x1F", 31),
            ("0X1f", 31),
            ("0x", 0),
            ("-0x1F", 0),
            ("0x+1", 0),
            ("0b101", 5),
            ("0o17", 15),
            ("0b2", 0),
            ("1_0", 0),
            ("Infinity", 0),
            ("inf", 0),
            ("NaN", 0),
            ("x", 0),
            ("1e400", 0),
            ("9007199254740993", 0),
            ("4294967297", 1),
            (" ", 0),
            ("0x20000000000001", 0),
            ("0x20000000000003", 4),
            ("0x10000000000000001", 0),
            ("٣", 0),
            ("12a", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(to_number(text), expected, "{text:?}");
        }
    }

    #[test]
    fn parse_int_takes_a_prefix() {
        let cases = [
            ("1", 1),
            ("128abc", 128),
            ("abc", 0),
            ("", 0),
            ("  12", 12),
            ("-1", 255),
            ("+2x", 2),
            ("0x11", 17),
            ("-0x01", 255),
            ("0x", 0),
            ("1.9", 1),
            ("1e2", 1),
            ("300", 44),
            ("9007199254740993", 0),
            ("0b1", 0),
            ("-", 0),
            ("0x20000000000003z", 4),
            ("٣", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_int(text), expected, "{text:?}");
        }
    }
}
