//! The log against a disk that does what disks are allowed to do.

mod crash;
mod cursors;
mod damage;
mod full;
mod keys;
mod reading;
mod support;
