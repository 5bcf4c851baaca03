//! What fills a full store, and which ranks hold it: for the error `StoreFull`.

use crate::base::Rank;
use crate::runtime::Runtime;
use crate::runtime::memory::blocks::OwnMemory;
use std::collections::BTreeMap;

/// Groups of blocks that the error lists; the others are one sum.
const GROUPS_MAX: usize = 6;

/// What fills this rank's store, the largest group first, a line each.
pub fn holders(runtime: &Runtime) -> Vec<String> {
    let exported = runtime.protocol.objects.references.exported_memory().into_iter().filter_map(|(memory, ranks)| {
        let own = memory.as_any().downcast_ref::<OwnMemory>()?;
        Some((own.span().0, ranks))
    });
    let exported: BTreeMap<u64, Vec<Rank>> = exported.collect();
    let blocks = runtime.memory.resident_blocks.living().into_iter().filter_map(|block| {
        let (memory, has_readers) = block.memory_and_readers()?;
        Some((memory.as_any().downcast_ref::<OwnMemory>()?.span().0, (block.kind, has_readers)))
    });
    let blocks: BTreeMap<u64, (&str, bool)> = blocks.collect();
    // Blocks of one producer and type, with the same holders: their bytes, and how many.
    let mut groups: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    let mut add = |name: &str, offset: u64, bytes: u64| {
        let (kind, holders) = match (blocks.get(&offset), exported.get(&offset)) {
            (block, Some(ranks)) => (block.map(|block| block.0), format!("held by {}", rank_list(ranks))),
            (Some((kind, true)), _) => (Some(*kind), "read here".to_string()),
            (Some((kind, false)), _) => {
                (Some(*kind), "without readers, which could not be written to disk".to_string())
            }
            // Not in an object: a value in a running task or driver, or still being written.
            (None, None) => (None, "in use here".to_string()),
        };
        let name = kind.map_or_else(|| format!("of {name}"), |kind| format!("of {name} ({kind})"));
        let group = groups.entry(format!("{name}, {holders}")).or_default();
        (group.0, group.1) = (group.0 + bytes, group.1 + 1);
    };
    let tagged = runtime.memory.allocation_tags.all();
    let tagged_bytes: u64 = tagged.iter().map(|(_, allocation)| allocation.bytes).sum();
    tagged.iter().for_each(|(offset, allocation)| add(allocation.name, *offset, allocation.bytes));
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (bytes, _))| std::cmp::Reverse(*bytes));
    let mut lines: Vec<String> = groups
        .iter()
        .take(GROUPS_MAX)
        .map(|(name, (bytes, blocks))| format!("{bytes} bytes in {blocks} arrays {name}"))
        .collect();
    let others: u64 = groups.iter().skip(GROUPS_MAX).map(|(_, (bytes, _))| bytes).sum();
    let used = runtime.memory.arena().map_or(0, |arena| arena.used_bytes());
    let other_bytes = used.saturating_sub(tagged_bytes) + others;
    if other_bytes > 0 {
        lines.push(format!("{other_bytes} bytes in others"));
    }
    let written = runtime.memory.spill.written_bytes();
    if written > 0 {
        lines.push(format!("{written} bytes more are on disk"));
    }
    lines
}

fn rank_list(ranks: &[Rank]) -> String {
    let numbers: Vec<String> = ranks.iter().map(Rank::to_string).collect();
    format!("rank{} {}", if ranks.len() == 1 { "" } else { "s" }, numbers.join(", "))
}
