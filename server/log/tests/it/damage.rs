//! What is no crash is not taken for one.

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{LogError, Storage};

use crate::support::{draft, open, records, segments};

fn filled(number: usize) -> SimulatedDisk {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    for at in 0..number {
        log.append(draft("hits", format!("{at:0300}"))).expect("there is room");
    }
    disk
}

#[test]
fn a_byte_in_front_of_an_acknowledged_record() {
    let whole = filled(4);
    let name = &segments(&whole)[0];
    let size = whole.content(name).expect("a segment").len();
    // Every byte behind the segment's header and in front of the last group.
    let (mut refused, mut last) = (0, 0);
    for offset in 36..size {
        // Everything is synced: a crash copies the disk.
        let disk = whole.after_crash(&mut fastrand::Rng::with_seed(0));
        disk.damage(name, offset);
        match open(&disk) {
            Err(LogError::Damaged { .. }) => refused += 1,
            Ok(log) => {
                // In the last group damage looks as if it had never become durable.
                assert_eq!(log.head(), 3, "byte {offset}");
                last += 1;
            }
            Err(error) => panic!("byte {offset}: {error}"),
        }
    }
    assert!(refused > 3 * last - 10, "{refused} refused, {last} taken for a crash");
}

#[test]
fn a_byte_in_a_sealed_segment_is_found_when_it_is_read() {
    let disk = filled(40);
    let sealed = segments(&disk).remove(1);
    disk.damage(&sealed, 200);
    let log = open(&disk).expect("sealed segments are read when they are needed");
    let mut reader = log.read("hits", 1);
    let error = loop {
        match reader.next() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage was not found"),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, LogError::Damaged { file, .. } if *file == sealed), "{error}");
}

#[test]
fn a_segment_that_is_gone() {
    let disk = filled(40);
    let names = segments(&disk);
    assert!(names.len() > 3);
    disk.remove(&names[1]).expect("it is there");
    let first: u64 = names[1].trim_end_matches(".log").parse().expect("a position");
    let next: u64 = names[2].trim_end_matches(".log").parse().expect("a position");
    match open(&disk) {
        Err(LogError::Lost { from, to }) => assert_eq!((from, to), (first, next - 1)),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("a hole was not found"),
    }
}

#[test]
fn a_summary_that_is_gone_or_damaged_costs_time_only() {
    let disk = filled(40);
    let whole = records(&open(&disk).expect("whole"), "hits");
    assert_eq!(whole.len(), 40);
    for name in disk.list().expect("files") {
        if name.ends_with(".idx") {
            disk.damage(&name, 3);
        }
    }
    assert_eq!(records(&open(&disk).expect("whole"), "hits"), whole);
    for name in disk.list().expect("files") {
        if name.ends_with(".idx") {
            disk.remove(&name).expect("it is there");
        }
    }
    assert_eq!(records(&open(&disk).expect("whole"), "hits"), whole);
}

#[test]
fn a_payload_that_looks_like_the_log() {
    // A sender who knows the format puts the bytes of a real log, of another salt, into a payload; then the last group is torn.
    let other = SimulatedDisk::new();
    let log = headwater_log::Log::open(
        std::sync::Arc::new(other.clone()),
        headwater_log::Options { salt: 8, ..crate::support::options() },
    )
    .expect("an empty disk");
    for at in 0..9 {
        log.append(draft("hits", format!("{at}"))).expect("there is room");
    }
    drop(log);
    let forged = other.content(&segments(&other)[0]).expect("a segment");
    let disk = filled(2);
    let before = disk.content(&segments(&disk)[0]).expect("a segment").len();
    let log = open(&disk).expect("whole");
    log.append(draft("hits", forged)).expect("there is room");
    drop(log);
    disk.damage(&segments(&disk)[0], before + 30);
    let log = open(&disk).expect("the last group is torn, and what is in its payload is no group");
    assert_eq!(log.head(), 2);
}

#[test]
fn a_format_of_the_future() {
    let disk = filled(1);
    let name = &segments(&disk)[0];
    let mut content = disk.content(name).expect("a segment");
    content[6] = 9;
    let sum = crc32fast::hash(&content[..32]).to_le_bytes();
    content[32..36].copy_from_slice(&sum);
    disk.remove(name).expect("it is there");
    disk.create(name).and_then(|file| file.write(0, &content)).expect("there is room");
    assert!(matches!(open(&disk), Err(LogError::Unknown { version: 9, .. })));
}
