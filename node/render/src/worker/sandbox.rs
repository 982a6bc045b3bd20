//! Locks the worker in.

use std::io::{self, Read};
use std::thread;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, RestrictionStatus, Ruleset, RulesetAttr, RulesetError,
    RulesetStatus, Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

use crate::Limits;

/// Deep documents recurse; what is deeper than this dies.
const STACK_OCTETS: u64 = 64 << 20;
const FILES_MAX: u64 = 256;
/// As nice(2): to the server, whose own is 0, nearly all of a busy processor goes.
const NICENESS: i32 = 15;

/// Takes away what rendering does not need. Returns whether the kernel keeps the process from all files.
///
/// Not here yet: a list of allowed system calls.
pub(crate) fn lock_in(limits: &Limits) -> io::Result<bool> {
    let cpu = limits.cpu_secs_for(0);
    // The soft limit rises with the pages; the hard one is where even a worker gone wrong ends.
    limit(Resource::Cpu, cpu, limits.cpu_secs_for(u64::from(limits.pages)) + 5)?;
    limit(Resource::As, limits.memory_octets, limits.memory_octets)?;
    limit(Resource::Stack, STACK_OCTETS, STACK_OCTETS)?;
    limit(Resource::Fsize, 0, 0)?;
    limit(Resource::Core, 0, 0)?;
    limit(Resource::Nofile, FILES_MAX, FILES_MAX)?;
    // What comes in goes before what is looked at: an intake does not starve for want of processor time.
    let _ = rustix::process::nice(NICENESS);
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    let status = restrict().map_err(io::Error::other)?;
    // After Landlock, so that the thread inherits it; before the limit that forbids threads.
    hold_lifeline()?;
    limit(Resource::Nproc, 0, 0)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// Gives the document the CPU time that its pages deserve.
pub(crate) fn allow_pages(limits: &Limits, pages: u32) {
    let current = getrlimit(Resource::Cpu);
    let soft = limits.cpu_secs_for(u64::from(pages));
    // Refused only where the hard limit is lower, which then holds.
    let _ = setrlimit(Resource::Cpu, Rlimit { current: Some(soft), maximum: current.maximum });
}

fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let old = getrlimit(resource);
    let hard = old.maximum.map_or(hard, |old| old.min(hard));
    Ok(setrlimit(resource, Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) })?)
}

/// No rule is added: nothing is allowed that the kernel's version of Landlock knows.
fn restrict() -> Result<RestrictionStatus, RulesetError> {
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V7))?
        .handle_access(AccessNet::from_all(ABI::V7))?
        .scope(Scope::from_all(ABI::V7))?
        .create()?
        .restrict_self()
}

/// Ends the process when the parent's end of standard input closes, be it that the parent died.
fn hold_lifeline() -> io::Result<()> {
    thread::Builder::new().name("lifeline".into()).stack_size(128 << 10).spawn(|| {
        let mut stdin = io::stdin();
        let mut octet = [0];
        loop {
            match stdin.read(&mut octet) {
                Ok(1..) => {}
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => std::process::exit(0),
            }
        }
    })?;
    Ok(())
}
