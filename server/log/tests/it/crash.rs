//! The machine goes off at every operation, and everything that was acknowledged is there afterwards.

use std::collections::BTreeMap;

use headwater_log::Draft;
use headwater_log::simulated::SimulatedDisk;

use crate::support::{draft, open, records};

/// What was sent and what became of it.
#[derive(Default)]
struct Sent {
    acknowledged: BTreeMap<u64, Draft>,
    all: Vec<Draft>,
}

/// Sends until the disk stops, several records at a time.
fn send(disk: &SimulatedDisk, random: &mut fastrand::Rng, sent: &mut Sent, number: usize) {
    let Ok(log) = open(disk) else { return };
    for _ in 0..number {
        let together: Vec<Draft> = (0..random.usize(1..4))
            .map(|_| {
                let stream = ["hits", "events"][random.usize(..2)];
                let payload: Vec<u8> = (0..random.usize(0..900)).map(|_| random.u8(..)).collect();
                let mut draft = draft(stream, payload);
                draft.context = format!("record {}", sent.all.len()).into_bytes().into();
                sent.all.push(draft.clone());
                draft
            })
            .collect();
        let tickets: Vec<_> = together.iter().map(|draft| log.submit(draft.clone())).collect();
        for (ticket, draft) in tickets.into_iter().zip(together) {
            if let Ok(ack) = ticket.and_then(headwater_log::Ticket::wait) {
                let before = sent.acknowledged.insert(ack.position, draft);
                assert_eq!(before, None, "position {} was given twice", ack.position);
            }
        }
    }
}

/// Everything that was acknowledged is there under its position, positions have no holes, and there is nothing that was not sent.
fn verify(disk: &SimulatedDisk, sent: &Sent) -> u64 {
    let log = open(disk).expect("a crash is no damage");
    let mut found = records(&log, "hits");
    found.extend(records(&log, "events"));
    found.sort_by_key(|record| record.position);
    let positions: Vec<u64> = found.iter().map(|record| record.position).collect();
    assert_eq!(positions, (1..=log.head()).collect::<Vec<_>>());
    for record in &found {
        assert!(sent.all.contains(&record.draft), "a record that nobody sent");
        if let Some(draft) = sent.acknowledged.get(&record.position) {
            assert_eq!(&record.draft, draft);
        }
    }
    let missing: Vec<&u64> = sent.acknowledged.keys().filter(|position| **position > log.head()).collect();
    assert!(missing.is_empty(), "acknowledged and gone: {missing:?}");
    log.head()
}

#[test]
fn at_every_operation() {
    // The number of operations of a run without a crash, to stop at each of them.
    let whole = SimulatedDisk::new();
    send(&whole, &mut fastrand::Rng::with_seed(1), &mut Sent::default(), 25);
    let operations = whole.operations();
    assert!(operations > 60, "too few operations to be a test: {operations}");
    let mut torn = 0;
    for stop in 1..=operations {
        for seed in 0..4 {
            let mut random = fastrand::Rng::with_seed(1);
            let disk = SimulatedDisk::new();
            disk.stop_at(stop);
            let mut sent = Sent::default();
            send(&disk, &mut random, &mut sent, 25);
            let found = disk.after_crash(&mut fastrand::Rng::with_seed(seed));
            let head = verify(&found, &sent);
            torn += u32::from(head as usize > sent.acknowledged.len());
        }
    }
    assert!(torn > 0, "no run in which a record survived that was not acknowledged");
}

/// A test that cannot fail shows nothing: a disk that lies is noticed.
#[test]
fn a_lying_disk_is_noticed() {
    let noticed = (0..50).any(|seed| {
        let mut random = fastrand::Rng::with_seed(seed);
        let disk = SimulatedDisk::new();
        let mut sent = Sent::default();
        send(&disk, &mut random, &mut sent, 5);
        disk.lie_about_syncs();
        send(&disk, &mut random, &mut sent, 5);
        let disk = disk.after_crash(&mut random);
        open(&disk).is_ok_and(|log| sent.acknowledged.keys().any(|position| *position > log.head()))
    });
    assert!(noticed);
}

#[test]
fn again_and_again_on_one_disk() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut disk = SimulatedDisk::new();
        let mut sent = Sent::default();
        for _ in 0..12 {
            disk.stop_at(random.u64(1..60));
            send(&disk, &mut random, &mut sent, 20);
            disk = disk.after_crash(&mut random);
            // Records that survived without being acknowledged take positions, too.
            let log = open(&disk).expect("a crash is no damage");
            for stream in ["hits", "events"] {
                for record in records(&log, stream) {
                    let known =
                        sent.acknowledged.entry(record.position).or_insert_with(|| record.draft.clone());
                    assert_eq!(*known, record.draft);
                }
            }
            drop(log);
        }
        verify(&disk, &sent);
    }
}

#[test]
fn a_failed_sync_ends_the_writing() {
    let disk = SimulatedDisk::new();
    let log = open(&disk).expect("an empty disk");
    log.append(draft("hits", "one")).expect("nothing fails yet");
    disk.fail_syncs(1);
    let error = log.append(draft("hits", "two")).expect_err("the sync fails");
    assert!(!error.kept_nothing());
    // A second sync would succeed, and say nothing about the first write.
    let after = log.append(draft("hits", "three")).expect_err("nobody knows what is durable");
    assert!(!after.kept_nothing());
    assert_eq!(log.head(), 1);
    drop(log);
    let log = open(&disk).expect("opened anew, it is known again");
    assert!(log.head() >= 1);
    log.append(draft("hits", "four")).expect("and written to");
}
