//! Readers, retention, and a folder of a real disk.

use std::sync::Arc;
use std::time::Duration;

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{Disk, Log, LogError};

use crate::support::{draft, open, options, records};

#[test]
fn each_stream_in_order_while_it_is_written() {
    let log = Arc::new(open(&SimulatedDisk::new()).expect("an empty disk"));
    let number = 400;
    let reading = {
        let log = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut reader = log.read("even", 1);
            let mut seen = Vec::new();
            while seen.len() < number / 2 {
                match reader.next().expect("whole") {
                    Some(record) => seen.push(String::from_utf8(record.draft.payload.into()).expect("text")),
                    None => {
                        let _ = log.wait(reader.position(), Duration::from_secs(5));
                    }
                }
            }
            seen
        })
    };
    for at in 0..number {
        let stream = if at % 2 == 0 { "even" } else { "odd" };
        log.append(draft(stream, format!("{at}"))).expect("there is room");
    }
    let seen = reading.join().expect("the reader");
    let expected: Vec<String> = (0..number).step_by(2).map(|at| at.to_string()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_reader_passes_what_is_not_its_own() {
    let log = open(&SimulatedDisk::new()).expect("an empty disk");
    for _ in 0..50 {
        log.append(draft("hits", vec![1; 300])).expect("there is room");
    }
    let mut reader = log.read("events", 1);
    assert_eq!(reader.next().expect("whole"), None);
    assert_eq!(reader.position(), 50);
}

#[test]
fn retention_keeps_positions() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    for at in 0..60 {
        log.append(draft("hits", format!("{at:0300}"))).expect("there is room");
    }
    let oldest = log.trim(40).expect("nothing fails");
    assert!((2..=40).contains(&oldest), "{oldest}");
    assert!(matches!(log.read("hits", 1).next(), Err(LogError::Gone { oldest: there }) if there == oldest));
    assert_eq!(records(&log, "hits").len() as u64, 61 - oldest);
    drop(log);
    let log = open(&disk).expect("whole");
    assert_eq!((log.oldest(), log.head()), (oldest, 60));
    // Everything may go; the numbering goes on.
    log.trim(u64::MAX).expect("nothing fails");
    assert_eq!(log.append(draft("hits", "next")).map(|ack| ack.position), Ok(61));
}

#[test]
fn a_real_folder_has_one_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = Disk::open(folder.path()).expect("nobody else has it");
    assert!(matches!(Disk::open(folder.path()), Err(LogError::Taken)));
    let log = Log::open(Arc::new(disk), options()).expect("an empty folder");
    for at in 0..30 {
        log.append(draft("hits", format!("{at:0300}"))).expect("there is room");
    }
    let before = records(&log, "hits");
    drop(log);
    let log =
        Log::open(Arc::new(Disk::open(folder.path()).expect("it was given back")), options()).expect("whole");
    assert_eq!(records(&log, "hits"), before);
    assert_eq!(before.len(), 30);
}
