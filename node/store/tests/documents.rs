//! Documents: what was written is read, what is damaged is found, what is deleted is gone.

mod fixtures;

use fixtures::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tympan_engine::Timestamp;
use tympan_store::{
    Change, DocumentOptions, Documents, MemoryStore, NewDocument, Records, SqliteOptions, SqliteStore, StoreError,
    Swept, SyncFault,
};

const SIZES: [usize; 12] = [0, 1, 300, 10_240, 65_535, 65_536, 65_537, 131_072, 200_000, 262_144, 262_145, 600_000];

fn options() -> DocumentOptions {
    DocumentOptions { reserve_octets: Some(0), ..DocumentOptions::default() }
}

fn in_folder(dir: &Path) -> (Arc<SqliteStore>, Documents) {
    let records = Arc::new(SqliteStore::open(dir, SqliteOptions::default()).unwrap());
    let documents = Documents::open_with(dir, records.clone(), options()).unwrap();
    (records, documents)
}

/// Octets that do not compress.
fn noise(seed: u64, octets: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    let mut roll = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..octets).map(|_| roll()).collect()
}

fn text(octets: usize) -> Vec<u8> {
    (0..octets).map(|n| b"The quick brown fox. "[n % 21] ^ (n / 40_000) as u8).collect()
}

async fn store(documents: &Documents, records: &dyn Records, n: u64, bytes: &[u8]) -> NewDocument {
    let mut writer = documents.create(document(n)).unwrap();
    for piece in bytes.chunks(9973) {
        writer.write(piece).await.unwrap();
    }
    let new = writer.finish().await.unwrap();
    records.commit(Change { documents: vec![new.clone()], ..Change::default() }).await.unwrap();
    new
}

async fn release(records: &dyn Records, n: u64) {
    records.commit(Change { refs: vec![(document(n), -1)], ..Change::default() }).await.unwrap();
}

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() { dirs.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found
}

async fn what_is_written_is_read(documents: &Documents, records: &dyn Records) {
    for (n, octets) in SIZES.into_iter().enumerate() {
        for (form, bytes) in [noise(n as u64, octets), text(octets)].into_iter().enumerate() {
            let n = (n * 2 + form) as u64;
            let new = store(documents, records, n, &bytes).await;
            assert_eq!((new.octets, new.inline.is_some()), (octets as u64, octets <= 65_536));
            assert_eq!(documents.read_all(document(n), u64::MAX).await.unwrap(), bytes);
            let mut reader = documents.open_document(document(n)).await.unwrap();
            assert_eq!(reader.octets(), octets as u64);
            for offset in [0, 1, 65_535, 65_536, 65_537, octets.saturating_sub(1), octets, octets + 9] {
                let mut out = [0; 70_000];
                let read = reader.read_at(offset as u64, &mut out).await.unwrap();
                let expected = bytes.get(offset..).unwrap_or_default();
                assert_eq!(&out[..read], &expected[..expected.len().min(70_000)], "{octets} from {offset}");
            }
            let mut by_trait = Vec::new();
            documents.open_document(document(n)).await.unwrap().read_to_end(&mut by_trait).await.unwrap();
            assert_eq!(by_trait, bytes);
            let mut file = documents.plaintext_file(document(n)).await.unwrap();
            let mut plain = Vec::new();
            file.read_to_end(&mut plain).unwrap();
            assert_eq!(plain, bytes);
            assert!(file.write(b"x").is_err(), "the file is read-only");
            file.rewind().unwrap();
            if octets > 9 {
                let refused = documents.read_all(document(n), 9).await;
                assert!(matches!(refused, Err(StoreError::File { .. })), "{refused:?}");
            }
        }
    }
    let missing = documents.open_document(document(404)).await;
    assert!(matches!(missing, Err(StoreError::NoDocument(_))));
}

#[tokio::test]
async fn a_document_in_a_folder_is_read_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (records, documents) = in_folder(dir.path());
    what_is_written_is_read(&documents, &*records).await;
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    // Text was compressed, noise was not.
    let size = |n: u64| {
        let path = files_under(dir.path()).into_iter().find(|path| path.ends_with(document(n).to_string()));
        fs::metadata(path.unwrap()).unwrap().len()
    };
    assert!(size(17) < 20_000, "{}", size(17));
    assert!((200_000..200_300).contains(&size(16)), "{}", size(16));
}

#[tokio::test]
async fn a_document_in_memory_is_read_as_it_was_written() {
    let records = Arc::new(MemoryStore::new());
    let documents = Documents::in_memory(records.clone());
    what_is_written_is_read(&documents, &*records).await;
    release(&*records, 16).await;
    assert_eq!(documents.collect().await.unwrap(), 1);
    assert_eq!(documents.sweep(t(0)).await.unwrap(), Swept::default());
}

#[test]
fn memory_needs_no_runtime() {
    let records = Arc::new(MemoryStore::new());
    let documents = Documents::in_memory(records.clone());
    let mut work = Box::pin(async {
        store(&documents, &*records, 1, &text(200_000)).await;
        documents.read_all(document(1), u64::MAX).await.unwrap()
    });
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match Future::poll(work.as_mut(), &mut cx) {
        std::task::Poll::Ready(bytes) => assert_eq!(bytes, text(200_000)),
        std::task::Poll::Pending => panic!("it waited"),
    }
}

#[tokio::test]
async fn a_writer_that_is_given_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_records, documents) = in_folder(dir.path());
    let mut writer = documents.create(document(1)).unwrap();
    writer.write(&noise(1, 600_000)).await.unwrap();
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 1);
    // It is being written: a sweep leaves it alone.
    assert_eq!(documents.sweep(t(0)).await.unwrap(), Swept::default());
    drop(writer);
    assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    // Sealed, but never committed.
    let new = documents.store(document(2), &noise(2, 70_000)).await.unwrap();
    documents.discard(&new).await.unwrap();
    assert!(!files_under(&dir.path().join("documents")).iter().any(|path| path.ends_with(document(2).to_string())));
}

async fn damage_is_found(damage: impl Fn(u64, &Path)) {
    let dir = tempfile::tempdir().unwrap();
    let (records, documents) = in_folder(dir.path());
    for n in 0..100 {
        let bytes = if n % 2 == 0 { noise(n, 70_000) } else { text(140_000) };
        store(&documents, &*records, n, &bytes).await;
    }
    store(&documents, &*records, 100, &text(140_000)).await;
    for n in 0..100 {
        let path = dir.path().join(format!("documents/{:02x}/{}", document(n).0[15], document(n)));
        damage(n, &path);
        let plain = documents.plaintext_file(document(n)).await;
        assert!(matches!(plain, Err(StoreError::Damaged { .. })), "{n}: {plain:?}");
        assert!(dir.path().join("quarantine").join(document(n).to_string()).exists(), "{n}");
        let again = documents.read_all(document(n), u64::MAX).await;
        assert!(matches!(again, Err(StoreError::Damaged { .. })), "{n}: {again:?}");
    }
    assert_eq!(documents.read_all(document(100), u64::MAX).await.unwrap(), text(140_000));
    // When its job gives it back, its time is over as any other's is.
    release(&*records, 7).await;
    documents.collect().await.unwrap();
    assert_eq!(fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 99);
}

#[tokio::test]
async fn a_flipped_bit_is_found() {
    damage_is_found(|n, path| {
        let mut bytes = fs::read(path).unwrap();
        let at = (noise(n, 8).iter().fold(0usize, |at, b| at << 8 | usize::from(*b)) >> 1) % bytes.len();
        bytes[at] ^= 1 << (n % 8);
        fs::write(path, bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_cut_file_is_found() {
    damage_is_found(|n, path| {
        let size = fs::metadata(path).unwrap().len();
        fs::File::options().write(true).open(path).unwrap().set_len(size * n / 100).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_start_sweeps_what_nobody_needs() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (records, documents) = in_folder(dir.path());
        store(&documents, &*records, 1, &noise(1, 70_000)).await;
        store(&documents, &*records, 2, &noise(2, 70_000)).await;
        release(&*records, 2).await;
        documents.store(document(3), &noise(3, 70_000)).await.unwrap();
    }
    fs::write(dir.path().join("tmp").join(document(4).to_string()), b"part of a mail").unwrap();
    let (_records, documents) = in_folder(dir.path());
    let now = Timestamp(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64);
    assert_eq!(documents.sweep(now).await.unwrap(), Swept { open: 1, orphans: 0, deleted: 1 });
    let tomorrow = now + 25 * tympan_engine::time::HOUR;
    assert_eq!(documents.sweep(tomorrow).await.unwrap(), Swept { open: 0, orphans: 1, deleted: 0 });
    assert_eq!(documents.read_all(document(1), u64::MAX).await.unwrap(), noise(1, 70_000));
}

#[tokio::test]
async fn a_full_disk_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let records = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap());
    let full = DocumentOptions { reserve_octets: Some(u64::MAX), ..options() };
    let documents = Documents::open_with(dir.path(), records.clone(), full).unwrap();
    assert!(documents.free_octets().unwrap() > 0);
    assert!(matches!(documents.create_incoming(document(1)), Err(StoreError::Full)));
    documents.store(document(1), &noise(1, 70_000)).await.expect("what was taken is still made ready to be printed");
    let roomy = Documents::open_with(dir.path(), records, options()).unwrap();
    assert!(matches!(roomy.room_for(u64::MAX), Err(StoreError::Full)));
    roomy.room_for(1).unwrap();
}

#[tokio::test]
async fn after_a_failed_sync_no_document_is_acknowledged() {
    for sync in [1, 2, 3] {
        let dir = tempfile::tempdir().unwrap();
        let records = Arc::new(SqliteStore::open(dir.path(), SqliteOptions::default()).unwrap());
        let fault = SyncFault::default();
        let broken = DocumentOptions { sync_fault: Some(fault.clone()), ..options() };
        let documents = Documents::open_with(dir.path(), records.clone(), broken).unwrap();
        fault.arm(sync);
        let result = documents.store(document(1), &noise(1, 70_000)).await;
        assert!(matches!(result, Err(StoreError::Poisoned)), "sync {sync}: {result:?}");
        assert!(matches!(documents.poisoned().await, StoreError::Poisoned), "whoever runs the server hears of it");
        assert!(matches!(documents.create(document(2)), Err(StoreError::Poisoned)));
    }
}

fn canary(n: u64) -> Vec<u8> {
    noise(0xca_0a77 + n, 32)
}

/// Which canaries stand somewhere in the folder.
fn singing(dir: &TempDir, count: u64) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for path in files_under(dir.path()) {
        let bytes = fs::read(&path).unwrap();
        for n in 0..count {
            let canary = canary(n);
            let first = canary[0];
            let mut rest = &bytes[..];
            while let Some(at) = rest.iter().position(|b| *b == first) {
                if rest[at..].starts_with(&canary) {
                    found.insert(n);
                    break;
                }
                rest = &rest[at + 1..];
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a12_nothing_of_a_deleted_document_is_left_in_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let count = 60;
    let (records, documents) = in_folder(dir.path());
    // Rows of all sizes move about in the tree while others come and go.
    for n in 0..count {
        let octets = if n % 20 == 19 { 100_000 } else { 40 + (n as usize * 397) % 9000 };
        let mut bytes = vec![b'x'; octets];
        for place in [0, octets / 2 - 16, octets - 32] {
            bytes[place..place + 32].copy_from_slice(&canary(n));
        }
        // As it is: what is compressed would hide the canary.
        let mut writer = documents.create_with(document(n), false).unwrap();
        writer.write(&bytes).await.unwrap();
        let new = writer.finish().await.unwrap();
        records.commit(Change { documents: vec![new], ..put(job(n), 0) }).await.unwrap();
        if n % 5 == 4 {
            release(&*records, n - 3).await;
        }
    }
    let released: BTreeSet<u64> = (0..count).filter(|n| n % 5 == 1).collect();
    let kept: BTreeSet<u64> = (0..count).filter(|n| n % 5 != 1).collect();
    documents.collect().await.unwrap();
    records.flush_deletions().await.unwrap();
    let found = singing(&dir, count);
    assert_eq!(found, kept, "the deleted are {released:?}");
    // The rest goes too, and nobody asks for it to be purged: it happens at rest.
    for n in kept {
        release(&*records, n).await;
    }
    documents.collect().await.unwrap();
    let begin = Instant::now();
    while !singing(&dir, count).is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(60), "still there: {:?}", singing(&dir, count));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
