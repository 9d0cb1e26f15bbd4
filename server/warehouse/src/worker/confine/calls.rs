//! System calls, by seccomp: no other programs, no sockets, no other processes, nothing of the kernel's own business. What is
//! forbidden fails; it does not end the process, since the engine tries some of it and goes on without.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

/// Refused whatever their arguments are.
const REFUSED: [i64; 48] = [
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Sockets, also those that another interface opens.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    // A signal to a thread, of whatever process.
    libc::SYS_tkill,
    // Files past their paths, and other roots.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_personality,
];

/// Those of older architectures.
#[cfg(target_arch = "x86_64")]
const OLDER: [i64; 4] = [libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(target_arch = "aarch64")]
const OLDER: [i64; 0] = [];

pub(super) fn confine() -> Result<(), String> {
    let install = |rules, errno: libc::c_int| -> Result<(), Box<dyn std::error::Error>> {
        let refuse = SeccompAction::Errno(errno.unsigned_abs());
        let program: BpfProgram =
            SeccompFilter::new(rules, SeccompAction::Allow, refuse, ARCH)?.try_into()?;
        Ok(apply_filter(&program)?)
    };
    rules().and_then(|rules| install(rules, libc::EPERM)).map_err(|e| e.to_string())?;
    // Its flags lie in memory, where no filter can look. Without it threads are made with `clone`, by everybody's C library.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    install(clone3, libc::ENOSYS).map_err(|e| e.to_string())
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, Box<dyn std::error::Error>> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().chain(&OLDER).map(|call| (*call, Vec::new())).collect();
    let thread = u64::from(libc::CLONE_THREAD.unsigned_abs());
    let not_a_thread = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(thread), 0)?;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![not_a_thread])?]);
    // Signals to itself: it ends that way, and the engine's threads interrupt each other.
    let me = u64::from(std::process::id());
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        let not_me = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, me)?;
        rules.insert(call, vec![SeccompRule::new(vec![not_me])?]);
    }
    Ok(rules)
}
