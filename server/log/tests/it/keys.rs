//! Idempotency keys.

use std::sync::Arc;

use headwater_log::simulated::SimulatedDisk;
use headwater_log::{Ack, AppendError, Audience, Draft, Log, Options};

use crate::support::{draft, open, options};

fn keyed(stream: &str, key: &str, payload: &str) -> Draft {
    Draft { key: Some(key.as_bytes().into()), ..draft(stream, payload) }
}

#[test]
fn a_second_time_is_the_first_time() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    assert_eq!(log.append(keyed("hits", "a", "x")), Ok(Ack { position: 1, repeated: false }));
    assert_eq!(log.append(keyed("hits", "a", "x")), Ok(Ack { position: 1, repeated: true }));
    assert_eq!(log.append(keyed("hits", "a", "y")), Err(AppendError::KeyReused { position: 1 }));
    assert_eq!(log.append(keyed("events", "a", "x")), Ok(Ack { position: 2, repeated: false }));
    let staged = Draft { audience: Audience::Staging(1), ..keyed("hits", "a", "x") };
    assert_eq!(log.append(staged), Ok(Ack { position: 3, repeated: false }));
    drop(log);
    let log = open(&disk).expect("whole");
    assert_eq!(log.append(keyed("hits", "a", "x")), Ok(Ack { position: 1, repeated: true }));
}

#[test]
fn twice_in_one_group() {
    let log = open(&SimulatedDisk::new()).expect("an empty disk");
    let tickets: Vec<_> = (0..50).map(|at| log.submit(keyed("hits", &format!("{}", at % 5), "x"))).collect();
    let acks: Vec<Ack> = tickets
        .into_iter()
        .map(|ticket| ticket.and_then(headwater_log::Ticket::wait).expect("kept"))
        .collect();
    assert_eq!(acks.iter().filter(|ack| !ack.repeated).count(), 5);
    assert_eq!(log.head(), 5);
    for (at, ack) in acks.iter().enumerate() {
        assert_eq!(ack.position, acks[at % 5].position);
    }
}

#[test]
fn keys_of_sealed_segments_are_remembered_and_old_ones_forgotten() {
    let disk = SimulatedDisk::new();
    let window = || Options { keys: 30, keys_milliseconds: 1_000, ..options() };
    let log = Log::open(Arc::new(disk.clone()), window()).expect("an empty disk");
    for at in 0..60 {
        log.append(keyed("hits", &format!("{at}"), &"x".repeat(500))).expect("there is room");
    }
    let again = |log: &Log, at: usize| {
        log.append(keyed("hits", &format!("{at}"), &"x".repeat(500))).map(|ack| ack.repeated)
    };
    assert_eq!(again(&log, 31), Ok(true));
    drop(log);
    let log = Log::open(Arc::new(disk.clone()), window()).expect("whole");
    assert_eq!(again(&log, 31), Ok(true));
    assert_eq!(again(&log, 12), Ok(false), "it has left the window");
    let late = Draft { accepted_at: 5_000, ..keyed("hits", "late", "x") };
    log.append(late).expect("there is room");
    assert_eq!(again(&log, 59), Ok(false), "it is older than the window");
}
