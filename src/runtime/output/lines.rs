//! Splits what tasks print into lines.

use crate::base::limits::PRINTED_LINE_BYTES_MAX;
use crate::base::text::cut_mark;

/// A line that was printed.
#[derive(Debug, PartialEq, Eq)]
pub struct PrintedLine {
    /// Without its end.
    pub text: String,
    /// It ends with a carriage return: the next one is printed over it, as a progress bar.
    pub is_overprinted: bool,
}

/// Bytes of a line that has not ended.
#[derive(Default)]
pub struct LineSplitter {
    /// As many as are kept.
    bytes: Vec<u8>,
    /// How many came.
    total: usize,
    /// The last byte was a carriage return; before a newline, it is no end of its own.
    returned: bool,
}

impl LineSplitter {
    /// Calls `line` with each line that ends within `bytes`, which are what is there for now.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(PrintedLine)) {
        for byte in bytes {
            if self.returned && *byte != b'\n' {
                line(self.take(true));
            }
            self.returned = *byte == b'\r';
            match byte {
                b'\n' => line(self.take(false)),
                b'\r' => {}
                byte => {
                    self.total += 1;
                    if self.bytes.len() < PRINTED_LINE_BYTES_MAX {
                        self.bytes.push(*byte);
                    }
                }
            }
        }
        if self.returned {
            self.returned = false;
            line(self.take(true));
        }
    }

    /// What has not ended, if anything; no more comes.
    pub fn finish(&mut self) -> Option<PrintedLine> {
        (self.total > 0).then(|| self.take(false))
    }

    fn take(&mut self, is_overprinted: bool) -> PrintedLine {
        let (mut bytes, total) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.total));
        let is_cut = total > bytes.len();
        if is_cut
            && let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            bytes.truncate(error.valid_up_to());
        }
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if is_cut {
            text += &cut_mark(total);
        }
        PrintedLine { text, is_overprinted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&str]) -> Vec<String> {
        let (mut lines, mut seen) = (LineSplitter::default(), Vec::new());
        let show = |line: PrintedLine| format!("{}{}", line.text, if line.is_overprinted { "<" } else { "" });
        parts.iter().for_each(|part| lines.push(part.as_bytes(), |line| seen.push(show(line))));
        seen.extend(lines.finish().map(show));
        seen
    }

    #[test]
    fn lines_end_at_newlines_and_carriage_returns() {
        assert_eq!(lines(&["one\ntwo\r\n\nthr", "ee\nfour"]), ["one", "two", "", "three", "four"]);
        assert_eq!(lines(&["10%\r20%\r", "done\n"]), ["10%<", "20%<", "done"]);
        assert!(lines(&[]).is_empty());
    }

    #[test]
    fn line_is_whole_at_the_bound_and_cut_at_a_character_beyond() {
        let whole = "x".repeat(PRINTED_LINE_BYTES_MAX);
        assert_eq!(lines(&[&whole[..7], &whole[7..], "\n"]), [whole.as_str()]);
        let long = format!("{}\u{e9}", &whole[1..]);
        let expected = format!("{} ... (cut: {} bytes)", &whole[1..], PRINTED_LINE_BYTES_MAX + 1);
        assert_eq!(lines(&[&long, "\nnext\n"]), [expected.as_str(), "next"]);
    }
}
