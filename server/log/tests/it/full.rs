//! No room: on the disk, in the log, in the queue.

use std::sync::Arc;

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{AppendError, Log, Options};

use crate::support::{draft, open, options, records};

#[test]
fn a_full_disk_loses_nothing_and_works_again() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    let mut kept = 0;
    disk.set_capacity(Some(10_000));
    let error = loop {
        match log.append(draft("hits", vec![7; 700])) {
            Ok(ack) => {
                kept += 1;
                assert_eq!(ack.position, kept);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::DiskFull);
    assert_eq!(log.append(draft("hits", vec![7; 700])), Err(AppendError::DiskFull));
    assert_eq!(records(&log, "hits").len() as u64, kept);
    disk.set_capacity(None);
    assert_eq!(log.append(draft("hits", "room again")).map(|ack| ack.position), Ok(kept + 1));
    drop(log);
    assert_eq!(records(&open(&disk).expect("whole"), "hits").len() as u64, kept + 1);
}

#[test]
fn consumers_that_are_too_far_behind() {
    let disk = SimulatedDisk::new();
    let log = Log::open(Arc::new(disk), Options { total_bytes: 20_000, ..options() }).expect("an empty disk");
    while log.append(draft("hits", vec![7; 700])).is_ok() {}
    assert_eq!(log.append(draft("hits", vec![7; 700])), Err(AppendError::Full));
    let oldest = log.trim(log.head()).expect("nobody needs them");
    assert!(oldest > 1);
    log.append(draft("hits", vec![7; 700])).expect("there is room again");
}

#[test]
fn too_much_is_waiting() {
    let disk = SimulatedDisk::new();
    let log =
        Log::open(Arc::new(disk), Options { waiting_bytes: 3_000, ..options() }).expect("an empty disk");
    let mut busy = 0;
    let mut tickets = Vec::new();
    for _ in 0..5_000 {
        match log.submit(draft("hits", vec![7; 900])) {
            Ok(ticket) => tickets.push(ticket),
            Err(AppendError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let kept = tickets.len() as u64;
    for ticket in tickets {
        ticket.wait().expect("what was taken is kept");
    }
    assert_eq!(log.head(), kept);
    assert!(busy > 0, "nothing was refused");
    log.append(draft("hits", vec![7; 900])).expect("nothing waits any more");
}

#[test]
fn a_record_that_is_too_large() {
    let log = open(&SimulatedDisk::new()).expect("an empty disk");
    assert!(matches!(
        log.append(draft("hits", vec![7; 5_000])),
        Err(AppendError::TooLarge { limit: 4096, .. })
    ));
    log.append(draft("hits", "small")).expect("the next one fits");
}
