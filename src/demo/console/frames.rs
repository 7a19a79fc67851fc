//! WebSocket frames as the real daemon takes them: whole, masked, without extensions, and not too long.

/// The longest payload that is taken.
const LONGEST: usize = 128 * 1024;

/// A frame from the client.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Frame {
    Data(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// Takes the first whole frame out of `buffer`; `None` while there is none.
///
/// # Errors
/// In the real daemon's words, if the client breaks the rules.
pub(super) fn take(buffer: &mut Vec<u8>) -> Result<Option<Frame>, String> {
    let [first, second, ..] = buffer[..] else {
        return Ok(None);
    };
    if first & 0x80 == 0 {
        return Err("received fragmented websocket frame".to_owned());
    }
    if first & 0x70 != 0 {
        return Err("received websocket frame with RSV flags".to_owned());
    }
    if second & 0x80 == 0 {
        return Err("received unmasked websocket frame from client".to_owned());
    }
    let (length, head) = match second & 0x7f {
        126 => match buffer.get(2..4) {
            Some(&[a, b]) => (usize::from(u16::from_be_bytes([a, b])), 4),
            _ => return Ok(None),
        },
        127 => match buffer
            .get(2..10)
            .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
        {
            Some(bytes) => (
                usize::try_from(u64::from_be_bytes(bytes)).unwrap_or(usize::MAX),
                10,
            ),
            None => return Ok(None),
        },
        short => (usize::from(short), 2),
    };
    if length > LONGEST {
        return Err(format!("received too large websocket frame (len = {length})"));
    }
    let Some(mask) = buffer
        .get(head..head + 4)
        .and_then(|bytes| <[u8; 4]>::try_from(bytes).ok())
    else {
        return Ok(None);
    };
    let end = head + 4 + length;
    if buffer.len() < end {
        return Ok(None);
    }
    let mut payload: Vec<u8> = buffer.drain(..end).skip(head + 4).collect();
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    match first & 0x0f {
        1 | 2 => Ok(Some(Frame::Data(payload))),
        8 => Ok(Some(Frame::Close)),
        9 => Ok(Some(Frame::Ping(payload))),
        10 => Ok(Some(Frame::Pong)),
        other => Err(format!("received unhandled websocket opcode {other}")),
    }
}

/// A frame to the client: 2 is data, 8 is the end, 10 answers a ping.
pub(super) fn make(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        short @ 0..=125 => frame.push(short as u8),
        long @ 126..=0xffff => {
            frame.push(126);
            frame.extend((long as u16).to_be_bytes());
        }
        longest => {
            frame.push(127);
            frame.extend((longest as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first, 0x80 | payload.len() as u8, 1, 2, 3, 4];
        frame.extend(
            payload
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame
    }

    #[test]
    fn frames_may_come_in_pieces_and_several_at_once() {
        let mut whole = masked(0x82, b"0:2:ls");
        whole.extend(masked(0x89, b"x"));
        let mut buffer = Vec::new();
        let mut found = Vec::new();
        for byte in whole {
            buffer.push(byte);
            found.extend(take(&mut buffer).expect("they keep the rules"));
        }
        assert_eq!(
            found,
            [Frame::Data(b"0:2:ls".to_vec()), Frame::Ping(b"x".to_vec())]
        );
        assert!(buffer.is_empty());
    }

    #[test]
    fn what_the_daemon_does_not_take_is_refused() {
        for (frame, why) in [
            (masked(0x02, b"a"), "fragmented"),
            (masked(0xc2, b"a"), "RSV"),
            (vec![0x82, 1, b'a'], "unmasked"),
            (masked(0x83, b"a"), "opcode 3"),
            (vec![0x82, 0xff, 0, 0, 0, 0, 0, 2, 0, 1], "too large"),
        ] {
            let error = take(&mut frame.clone()).expect_err("refused");
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(make(2, &[0; 200])[..4], [0x82, 126, 0, 200]);
    }
}
