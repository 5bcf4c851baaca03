//! Every bound of the runtime, in one place, each with what it bounds. Models of the lock-free code (`cfg(loom)`) use
//! tiny ones, so that the checker can try every order of their steps.

use std::time::Duration;

/// Stands for an unlimited time: longer than any job, and short enough to be added to any instant.
pub const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Ranks of one cluster.
pub const RANKS_MAX: u32 = 65_536;

/// Ranks that share one host's memory segments.
pub const RANKS_PER_HOST_MAX: usize = if cfg!(loom) { 16 } else { 256 };

/// A message between ranks, header included. Larger values travel as a block of the store, named in the message.
pub const MESSAGE_BYTES_MAX: usize = if cfg!(loom) { 64 } else { 64 << 10 };

/// A message that is sent in fragments, because it is longer than `MESSAGE_BYTES_MAX`: one with many references, or
/// with the errors of many results.
pub const FRAGMENTED_BYTES_MAX: usize = 1 << 30;

/// What one peer may have sent of such messages that have not arrived whole: two threads may send the longest at once.
pub const FRAGMENTS_BYTES_MAX: usize = 2 * FRAGMENTED_BYTES_MAX;

/// One direction of a shared-memory link between two ranks: four of the largest messages.
pub const RING_BYTES: usize = 4 * MESSAGE_BYTES_MAX;

/// Bytes up to which an encoded value travels inside its message: half of the largest message.
pub const INLINE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// Bytes up to which the value of an object travels with the first reference to the object that a rank gets. Of an
/// array in a store that both ranks map, only the address counts.
pub const CARRIED_BYTES_MAX: usize = 2 << 10;

/// Bytes of all such values that one value's references take with them, at most.
pub const CARRIED_BYTES_SUM_MAX: usize = MESSAGE_BYTES_MAX;

/// Bytes from which a text or the memory of a vector travels in a block of its own, apart from the value that it is
/// part of. A value with fewer bytes travels inside its message, one with more has a block at any rate.
pub const SEPARATE_BYTES_MIN: usize = 32 << 10;

/// Bytes up to which a function's first arguments and first result are encoded and decoded, to see whether they can be
/// sent to other ranks: a few milliseconds once. Longer ones are not looked at, since two copies of a value that fills
/// the memory have no place.
pub const CHECKED_BYTES_MAX: usize = 16 << 20;

/// How long a leaf function may run before it is reported: it keeps its rank from receiving.
pub const LEAF_TIME_MAX: Duration = Duration::from_millis(1);

/// Worker threads of one rank, those started for tasks that block their thread included.
pub const WORKERS_MAX: usize = if cfg!(loom) { 4 } else { 1024 };

/// Threads of pools that no task has and that are kept for later ones.
pub const IDLE_POOL_THREADS_MAX: usize = 256;

/// Kinds of resources that a host counts: CPU, GPU and custom names.
pub const RESOURCE_KINDS_MAX: usize = if cfg!(loom) { 2 } else { 64 };

/// A name that a program gives: of a task, an actor or a resource. A longer one is refused.
pub const NAME_BYTES_MAX: usize = 1024;

/// What a text shows of a name.
pub const NAME_SHOWN_BYTES: usize = 200;

/// Kinds of resources that one task, actor or bundle requests besides CPUs and GPUs.
pub const RESOURCES_REQUESTED_MAX: usize = 64;

/// Levels of values in each other that are written and read, where the stack has space for them: each takes some
/// hundred bytes of it, and a few KiB in an unoptimized program.
pub const NESTING_MAX: usize = 1000;

/// Stack that values may take on a thread of the program, which has 2 MiB or more, at most.
pub const NESTING_STACK_BYTES: usize = 1 << 20;

/// Bundles of one placement group.
pub const BUNDLES_MAX: usize = 10_000;

/// Objects that one call returns as its list of results.
pub const RETURNS_MAX: usize = 1 << 20;

/// GPUs of one host.
pub const GPUS_PER_HOST_MAX: usize = if cfg!(loom) { 2 } else { 64 };

/// Messages handled by one poll before the polling thread looks at its own work again.
pub const POLL_BATCH_MAX: usize = 64;

/// The text of a failure: what a task returned or panicked with. A longer one is cut and marked.
pub const FAILURE_BYTES_MAX: usize = 16 << 10;

/// The text in which a rank says how another one died.
pub const DEATH_BYTES_MAX: usize = 2 << 10;

/// A line that a task prints on a rank without a driver. Of a longer one the driver prints so much, and a mark.
pub const PRINTED_LINE_BYTES_MAX: usize = 1 << 20;

/// Errors that `error_info` stores.
pub const ERRORS_KEPT_MAX: usize = 10_000;

/// Memory of all errors that `error_info` stores: of a thousand of the longest.
pub const ERRORS_KEPT_BYTES_MAX: usize = 1024 * FAILURE_BYTES_MAX;

/// Peers that one rank has queue pairs with over RDMA: half a gigabyte of pinned buffers.
#[cfg_attr(not(feature = "verbs"), allow(dead_code))]
pub const VERBS_LINKS_MAX: u32 = 1024;
