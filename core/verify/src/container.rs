//! The file itself: a plain tar archive (POSIX ustar) of regular files that any `tar` unpacks. There is one way to write it, so that
//! no byte of it can be another one.

use crate::verdict::Unfit;
use std::io::{Read, Write};

const BLOCK: usize = 512;
/// Of one file in a bundle.
pub const ENTRY_BYTES_MAX: u64 = 2 << 30;
/// The two empty blocks at the end.
const END: usize = 2 * BLOCK;

/// Name and prefix, where the name fits; a path longer than 100 bytes is cut at a slash.
fn parts(path: &str) -> Option<(&str, &str)> {
    if path.len() <= 100 {
        return Some((path, ""));
    }
    let (prefix, name) = path.rsplit_once('/')?;
    (!name.is_empty() && name.len() <= 100 && prefix.len() <= 155).then_some((name, prefix))
}

/// Whether a file can have this path.
pub fn fits(path: &str) -> bool {
    parts(path).is_some() && !path.contains('\0')
}

fn header(path: &str, size: u64) -> [u8; BLOCK] {
    let (name, prefix) = parts(path).expect("paths that do not fit are not used");
    let mut block = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

pub fn put(out: &mut impl Write, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    if !fits(path) || bytes.len() as u64 > ENTRY_BYTES_MAX {
        let message = format!("`{path}` with {} bytes does not fit into a bundle", bytes.len());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, message));
    }
    out.write_all(&header(path, bytes.len() as u64))?;
    out.write_all(bytes)?;
    out.write_all(&[0u8; BLOCK][..padding(bytes.len() as u64)])
}

pub fn end(out: &mut impl Write) -> std::io::Result<()> {
    out.write_all(&[0u8; END])
}

/// Reads the files in their order. Every one is announced by its path: what stands there instead is refused.
pub struct Reader<R> {
    source: R,
    /// The header that was read but not asked for yet.
    next: Option<[u8; BLOCK]>,
}

impl<R: Read> Reader<R> {
    pub fn new(source: R) -> Reader<R> {
        Reader { source, next: None }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], Unfit> {
        let mut block = [0u8; BLOCK];
        self.source.read_exact(&mut block).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Unfit::Malformed("it ends too early; export it again".to_owned()),
            _ => Unfit::Unreadable(error.to_string()),
        })?;
        Ok(block)
    }

    /// The content of the file with this path, where it is the next one.
    pub fn take(&mut self, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, Unfit> {
        let block = match self.next.take() {
            Some(block) => block,
            None => self.block()?,
        };
        let size = std::str::from_utf8(&block[124..135]).ok().and_then(|digits| u64::from_str_radix(digits, 8).ok());
        let Some(size) = size.filter(|size| fits(path) && block == header(path, *size)) else {
            self.next = Some(block);
            return Ok(None);
        };
        if size > bytes_max.min(ENTRY_BYTES_MAX) {
            return Err(Unfit::Malformed(format!("`{path}` has {size} bytes; at most {} are read", bytes_max.min(ENTRY_BYTES_MAX))));
        }
        // Not taken on trust: memory grows with what is there.
        let mut bytes = Vec::new();
        self.source.by_ref().take(size).read_to_end(&mut bytes).map_err(|error| Unfit::Unreadable(error.to_string()))?;
        let mut rest = vec![0u8; padding(size)];
        let filled = self.source.read_exact(&mut rest).is_ok();
        if bytes.len() as u64 != size || !filled || rest.iter().any(|byte| *byte != 0) {
            return Err(Unfit::Malformed(format!("`{path}` is not whole; export the bundle again")));
        }
        Ok(Some(bytes))
    }

    /// As [`Reader::take`], for a file that must be there.
    pub fn need(&mut self, path: &str, bytes_max: u64) -> Result<Vec<u8>, Unfit> {
        self.take(path, bytes_max)?.ok_or_else(|| Unfit::Malformed(format!("`{path}` is not where it should be; export the bundle again")))
    }

    /// Refuses anything that stands after the last file.
    pub fn end(mut self) -> Result<(), Unfit> {
        let odd = || Unfit::Malformed("there is more in it than its manifest lists".to_owned());
        let first = match self.next.take() {
            Some(block) => block,
            None => self.block()?,
        };
        let second = self.block()?;
        if first.iter().chain(&second).any(|byte| *byte != 0) {
            return Err(odd());
        }
        let mut one = [0u8; 1];
        match self.source.read(&mut one) {
            Ok(0) => Ok(()),
            Ok(_) => Err(odd()),
            Err(error) => Err(Unfit::Unreadable(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_no_byte_of_it_can_be_another_unseen() {
        let long = format!("documents/{}/{}.toml", "p".repeat(90), "n".repeat(90));
        let files: [(&str, &[u8]); 3] = [("a", b"one"), (&long, &[7; BLOCK]), ("c", b"")];
        let mut bytes = Vec::new();
        for (path, content) in files {
            put(&mut bytes, path, content).expect("it fits");
        }
        end(&mut bytes).expect("it fits");
        let read = |bytes: &[u8]| -> Result<Vec<Vec<u8>>, Unfit> {
            let mut reader = Reader::new(bytes);
            let found = files.iter().map(|(path, _)| reader.need(path, 1 << 20)).collect::<Result<Vec<_>, _>>()?;
            reader.end()?;
            Ok(found)
        };
        let whole = read(&bytes).expect("it is whole");
        assert_eq!(whole, files.map(|(_, content)| content.to_vec()));
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert_ne!(read(&other).ok().as_ref(), Some(&whole), "byte {at}");
        }
        assert!(read(&bytes[..bytes.len() - 1]).is_err() && read(&[bytes.as_slice(), b"x"].concat()).is_err());
        assert!(!fits(&"x".repeat(101)));
    }
}
