//! The stream of a termproxy: a line with the ticket, then messages.

/// A message of the client.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Message {
    Data(Vec<u8>),
    Resize(u16, u16),
}

/// Bytes on their way to becoming messages.
#[derive(Default, Debug)]
pub(super) struct Messages {
    buffer: Vec<u8>,
    /// Bytes of a data message that are still to come.
    remaining: usize,
}

impl Messages {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The first line, without its end.
    pub(super) fn line(&mut self) -> Option<String> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
    }

    /// The next message, or as much of one as is there. What is none is skipped, as the original does.
    pub(super) fn next(&mut self) -> Option<Message> {
        loop {
            if self.remaining > 0 {
                let count = self.remaining.min(self.buffer.len());
                self.remaining -= count;
                return (count > 0).then(|| Message::Data(self.buffer.drain(..count).collect()));
            }
            match self.buffer.get(..2)? {
                b"0:" => {
                    let (numbers, end) = self.numbers::<1>()?;
                    self.buffer.drain(..end);
                    self.remaining = numbers[0];
                }
                b"1:" => {
                    let (numbers, end) = self.numbers::<2>()?;
                    self.buffer.drain(..end);
                    return Some(Message::Resize(numbers[0] as u16, numbers[1] as u16));
                }
                _ => {
                    self.buffer.remove(0);
                }
            }
        }
    }

    /// Numbers behind the kind of a message, each ended by a colon, and where they end; nonsense counts as 0.
    fn numbers<const N: usize>(&self) -> Option<([usize; N], usize)> {
        let mut at = 2;
        let mut numbers = [0; N];
        for number in &mut numbers {
            let length = self.buffer.get(at..)?.iter().position(|byte| *byte == b':')?;
            let text = std::str::from_utf8(&self.buffer[at..at + length]);
            *number = text.ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            at += length + 1;
        }
        Some((numbers, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_any_pieces() {
        let stream = "root@pam:PVEVNC:ABC::sig\n1:120:40:0:3:l:s20:2:\u{e4}";
        let mut messages = Messages::default();
        let (mut lines, mut data, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        for byte in stream.bytes() {
            messages.feed(&[byte]);
            if lines.is_empty() {
                lines.extend(messages.line());
                continue;
            }
            while let Some(message) = messages.next() {
                match message {
                    Message::Data(bytes) => data.extend(bytes),
                    Message::Resize(columns, rows) => sizes.push((columns, rows)),
                }
            }
        }
        assert_eq!(lines, ["root@pam:PVEVNC:ABC::sig"]);
        assert_eq!(sizes, [(120, 40)]);
        assert_eq!(String::from_utf8(data).expect("UTF-8"), "l:s\u{e4}");
    }
}
