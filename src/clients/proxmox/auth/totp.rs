//! TOTP codes (RFC 6238): HMAC-SHA1, 30 s, 6 digits, as Proxmox makes them.

use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

use crate::clients::Error;

/// The code of this moment.
pub(super) fn now(secret: &SecretString) -> Result<String, Error> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let key = base32(secret.expose_secret()).ok_or_else(|| Error::Setup {
        message: "the TOTP secret is no base32 text (letters A to Z and digits 2 to 7). Copy it again"
            .to_owned(),
    })?;
    Ok(code(&key, seconds / 30))
}

fn code(key: &[u8], counter: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let number = tag
        .iter()
        .skip(offset)
        .take(4)
        .fold(0_u32, |number, &byte| number << 8 | u32::from(byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// Decodes base32 without regard to case, spaces, dashes and padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for character in text.trim().bytes().filter(|b| !matches!(b, b' ' | b'-' | b'=')) {
        let value = match character.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        buffer = (buffer << 5 | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits) as u8);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_6238() {
        let key = b"12345678901234567890";
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(key, seconds / 30), expected);
        }
    }

    #[test]
    fn base32_as_people_copy_it() {
        let expected = b"12345678901234567890".to_vec();
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "gezd gnbv-gy3tqojq gezdgnbvgy3tqojq====\n",
        ] {
            assert_eq!(base32(text), Some(expected.clone()));
        }
        assert_eq!(base32("GEZD1"), None);
        assert_eq!(base32(""), None);
        let error = now(&SecretString::from("0189-hunter2")).unwrap_err().to_string();
        assert!(!error.contains("hunter2"));
    }
}
