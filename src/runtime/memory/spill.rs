//! Blocks on disk: written together, one after another, and read back through mappings.

use crate::base::forked::is_forked;
use crate::base::log::{Level, log};
use crate::base::process_limits::file_bytes_max;
use crate::base::sync::{AtomicBool, AtomicU64, Ordering, lock, statics};
use crate::base::{Config, Result};
use crate::memory::{FileMap, punch_file, reserve_file};
use crate::objects::{ArrayMemory, Attachment, Pin};
use crate::runtime::Runtime;
use crate::runtime::memory::blocks::{OwnMemory, is_of_other_cluster};
use crate::runtime::memory::resident_blocks::ResidentBlock;
use crate::runtime::memory::scratch::{self, Scratch};
use crate::runtime::memory::space::allocate;
use crate::runtime::memory::spill_disk::{self, SpillDisk};
use std::any::Any;
use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

/// Blocks begin at multiples of this in their file, as in the store.
const ALIGNMENT: u64 = 64;

/// A file of at least this size gets no more blocks: a process may have a thousand files open, a disk may have
/// terabytes.
const FILE_BYTES: u64 = 4 << 30;

/// Counts across clusters of one process: a file that survives one cluster never has the name of a file of another.
static NEXT_FILE: statics::AtomicU64 = statics::AtomicU64::new(1);

/// The blocks that a rank has on disk.
pub struct Spill {
    /// Where this rank's folder is.
    disk: SpillDisk,
    job: String,
    files: Mutex<SpillFiles>,
    written_bytes: Arc<AtomicU64>,
    /// True if the user was warned that nothing can be written.
    warned: AtomicBool,
    /// True if the user was warned about where blocks are written, or that they are written nowhere.
    warned_of_disk: AtomicBool,
    sweep: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct SpillFiles {
    scratch: Option<Scratch>,
    /// The file to which blocks are added, and the offset of the next one.
    last: Option<(Arc<SpillFile>, u64)>,
}

/// A file of blocks, open as long as it has any; unlinked with the last of them.
struct SpillFile {
    file: File,
    path: PathBuf,
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        if !is_forked() {
            // If another process removed it, there is nothing left to do.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A block on disk; dropping it frees its space there.
pub struct OnDisk {
    file: Arc<SpillFile>,
    offset: u64,
    length: usize,
    written_bytes: Arc<AtomicU64>,
}

impl OnDisk {
    /// Maps the block.
    ///
    /// # Errors
    /// The system's.
    pub fn open(self: &Arc<Self>, holding: &Weak<ResidentBlock>) -> io::Result<Arc<SpilledMemory>> {
        let map = FileMap::open(&self.file.file, self.offset, self.length).map_err(|error| {
            io::Error::new(error.kind(), format!("its bytes in {} cannot be read: {error}", self.file.path.display()))
        })?;
        Ok(Arc::new(SpilledMemory { map, holding: holding.clone(), _on_disk: self.clone() }))
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        if is_forked() {
            return;
        }
        self.written_bytes.fetch_sub(self.length as u64, Ordering::Relaxed);
        punch_file(&self.file.file, self.offset, self.length as u64);
    }
}

/// A block whose bytes are read from disk.
pub struct SpilledMemory {
    map: FileMap,
    holding: Weak<ResidentBlock>,
    /// Dropped, and so freed, after the mapping.
    _on_disk: Arc<OnDisk>,
}

impl ArrayMemory for SpilledMemory {
    fn bytes(&self) -> &[u8] {
        self.map.as_slice()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn into_pin(self: Arc<Self>, _: &'static str) -> Option<Arc<dyn Pin>> {
        Some(self.holding.upgrade()?)
    }
}

/// A value's attachments with every block in a store: blocks on disk are read back.
///
/// # Errors
/// `StoreFull` if there is no space for one.
pub fn in_the_store<'a>(runtime: &'static Runtime, attachments: &'a [Attachment]) -> Result<Cow<'a, [Attachment]>> {
    let is_elsewhere = |attachment: &Attachment| match attachment {
        Attachment::Array(memory) => is_of_other_cluster(&**memory, runtime) || memory.as_any().is::<SpilledMemory>(),
        _ => false,
    };
    if !attachments.iter().any(is_elsewhere) {
        return Ok(Cow::Borrowed(attachments));
    }
    let all: Result<Vec<_>> = attachments.iter().map(|attachment| one_in_the_store(runtime, attachment)).collect();
    all.map(Cow::Owned)
}

fn one_in_the_store(runtime: &'static Runtime, attachment: &Attachment) -> Result<Attachment> {
    let Attachment::Array(memory) = attachment else { return Ok(attachment.clone()) };
    let copy = |memory: &dyn ArrayMemory| {
        let bytes = memory.bytes();
        let mut block = allocate(runtime, bytes.len())?;
        block.as_mut_slice()[..bytes.len()].copy_from_slice(bytes);
        Ok(Arc::new(OwnMemory::new(runtime, block)) as Arc<dyn ArrayMemory>)
    };
    // A block of a packed value stays in the store for the next request.
    let holding = memory.as_any().downcast_ref::<SpilledMemory>().map(|spilled| spilled.holding.upgrade());
    let memory = match holding {
        Some(Some(holding)) => holding.restore(|| copy(&**memory))?,
        Some(None) => copy(&**memory)?,
        None => memory.clone(),
    };
    Ok(Attachment::Array(if is_of_other_cluster(&*memory, runtime) { copy(&*memory)? } else { memory }))
}

impl Spill {
    /// As the settings say; the folder is created when it is first needed.
    pub fn new(config: &Config) -> Spill {
        Spill {
            disk: SpillDisk::choose(&config.spill),
            job: config.job_label(),
            files: Mutex::default(),
            written_bytes: Arc::default(),
            warned: AtomicBool::new(false),
            warned_of_disk: AtomicBool::new(false),
            sweep: Mutex::new(None),
        }
    }

    /// True if spilling is on.
    pub fn is_on(&self) -> bool {
        self.disk.path().is_some()
    }

    /// Warns once, when the store is full for the first time, if blocks are written nowhere, or into memory.
    pub fn warn_of_disk(&self) {
        let warning = match &self.disk {
            SpillDisk::Nowhere { reasons } => format!(
                "objects that do not fit in the store stay in memory: no folder is usable for them ({reasons}); set \
                 MOBULA_SPILL_DIR to a folder on a disk"
            ),
            SpillDisk::Folder { path, is_in_memory: true } => format!(
                "objects that do not fit in the store are written to {}, which is in memory: that frees none; set \
                 MOBULA_SPILL_DIR to a folder on a disk, or to off",
                path.display()
            ),
            _ => return,
        };
        if !self.warned_of_disk.swap(true, Ordering::Relaxed) {
            log(Level::Warn, || warning);
        }
    }

    /// True if spilling is on, and the last write succeeded.
    pub fn can_write(&self) -> bool {
        self.is_on() && !self.warned.load(Ordering::Relaxed)
    }

    /// Bytes on disk now.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Relaxed)
    }

    /// Removes the folders that killed processes of this user left, on a thread: a folder of many thousands of files
    /// takes a while to list.
    pub fn begin_sweep(&self) {
        let Some(base) = self.disk.path().map(Path::to_path_buf) else { return };
        let sweep = move || {
            let swept = scratch::sweep(&base);
            if swept > 0 {
                log(Level::Info, || format!("{swept} folders of killed processes removed from {}", base.display()));
            }
        };
        match std::thread::Builder::new().name("mobula-sweep".to_string()).spawn(sweep) {
            Ok(sweep) => *lock(&self.sweep) = Some(sweep),
            Err(error) => log(Level::Debug, || format!("nothing is swept: {error}")),
        }
    }

    /// Removes this process's folder at the end.
    pub fn clear(&self) {
        if let Some(sweep) = lock(&self.sweep).take() {
            let _ = sweep.join();
        }
        let _removed_outside_of_the_lock = std::mem::take(&mut *lock(&self.files));
    }

    /// Writes the blocks, one after another; `None` if that fails, of which one warning is logged.
    pub fn write(&self, blocks: &[Arc<dyn ArrayMemory>]) -> Option<Vec<Arc<OnDisk>>> {
        match self.try_write(blocks) {
            Ok(written) => {
                self.warned.store(false, Ordering::Relaxed);
                Some(written)
            }
            Err(error) => {
                if !self.warned.swap(true, Ordering::Relaxed) {
                    let base = self.disk.path().unwrap_or_else(|| "".as_ref()).display();
                    log(Level::Warn, || {
                        format!(
                            "objects that do not fit in the store are not written to {base}: {error}; set \
                             MOBULA_SPILL_DIR to a folder on a disk with space, or raise MOBULA_STORE_BYTES"
                        )
                    });
                }
                None
            }
        }
    }

    fn try_write(&self, blocks: &[Arc<dyn ArrayMemory>]) -> io::Result<Vec<Arc<OnDisk>>> {
        let mut files = lock(&self.files);
        let bytes: u64 = blocks.iter().map(|block| (block.bytes().len() as u64).next_multiple_of(ALIGNMENT)).sum();
        let (file, begin) = self.last_file(&mut files, bytes)?;
        let mut end = begin;
        let mut offsets = Vec::with_capacity(blocks.len());
        for block in blocks {
            let offset = end.next_multiple_of(ALIGNMENT);
            offsets.push((offset, block.bytes().len()));
            end = offset + block.bytes().len() as u64;
        }
        if let Some(folder) = file.path.parent() {
            spill_disk::check_space(folder, end - begin, end)?;
        }
        reserve_file(&file.file, begin, end - begin)?;
        for (block, (offset, _)) in blocks.iter().zip(&offsets) {
            file.file.write_all_at(block.bytes(), *offset)?;
        }
        files.last = Some((file.clone(), end));
        drop(files);
        let on_disk = |(offset, length): (u64, usize)| {
            self.written_bytes.fetch_add(length as u64, Ordering::Relaxed);
            Arc::new(OnDisk { file: file.clone(), offset, length, written_bytes: self.written_bytes.clone() })
        };
        Ok(offsets.into_iter().map(on_disk).collect())
    }

    /// The file to which the next `bytes` of blocks go, and the offset at which they begin.
    fn last_file(&self, files: &mut SpillFiles, bytes: u64) -> io::Result<(Arc<SpillFile>, u64)> {
        let allowed = file_bytes_max().unwrap_or(u64::MAX);
        let usable = |(file, end): &(Arc<SpillFile>, u64)| {
            // A file that was removed, or all of whose blocks were dropped, is not used again.
            let has_space = *end < FILE_BYTES && end.saturating_add(bytes) <= allowed;
            has_space && Arc::strong_count(file) > 1 && file.path.exists()
        };
        if let Some(last) = files.last.take_if(|last| usable(last)) {
            return Ok(last);
        }
        files.last = None;
        let (path, file) = self.new_file(&mut files.scratch)?;
        Ok((Arc::new(SpillFile { file, path }), 0))
    }

    fn new_file(&self, scratch: &mut Option<Scratch>) -> io::Result<(PathBuf, File)> {
        let Some(base) = self.disk.path() else { return Err(io::Error::other("it is switched off")) };
        let number = NEXT_FILE.fetch_add(1, Ordering::Relaxed);
        if let Some(scratch) = scratch {
            match scratch.file(number) {
                // The folder was removed: open files remain, and the next files go to a new folder.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => return outcome,
            }
        }
        *scratch = None;
        scratch.insert(Scratch::make(base, &self.job)?).file(number)
    }
}
