//! Who holds what of a store that is full: for the error that says so.

use crate::base::Rank;
use crate::runtime::Runtime;
use crate::runtime::memory::OwnMemory;
use std::collections::BTreeMap;

/// Groups of blocks that the error names; what the others take is one sum.
const GROUPS_MAX: usize = 6;

/// Blocks of one maker, of one type, held alike.
#[derive(Default)]
struct Group {
    blocks: usize,
    bytes: u64,
}

impl Runtime {
    /// What fills this rank's store, the largest holders first, a line each.
    pub(super) fn holders(&self) -> Vec<String> {
        let exported = self.protocol.references.exported_memory().into_iter().filter_map(|(memory, ranks)| {
            let own = memory.as_any().downcast_ref::<OwnMemory>()?;
            Some((own.place().0, ranks))
        });
        let exported: BTreeMap<u64, Vec<Rank>> = exported.collect();
        let mut kept = BTreeMap::new();
        for holding in self.holdings.living() {
            let Some((memory, readers)) = holding.reading() else { continue };
            if let Some(own) = memory.as_any().downcast_ref::<OwnMemory>() {
                let (offset, bytes) = own.place();
                kept.insert(offset, (holding.kind(), bytes, readers));
            }
        }
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut add = |name: &str, offset: u64, bytes: u64| {
            let (kind, held) = match (kept.get(&offset), exported.get(&offset)) {
                (kept, Some(ranks)) => (kept.map(|kept| kept.0), format!("held by {}", in_words(ranks))),
                (Some((kind, _, true)), _) => (Some(*kind), "read here".to_string()),
                (Some((kind, ..)), _) => {
                    (Some(*kind), "that nobody reads and that could not be written to disk".to_string())
                }
                // Not in an object: a value of a running task or of a driver, or still being written.
                (None, None) => (None, "in use here".to_string()),
            };
            let name = kind.map_or_else(|| format!("of {name}"), |kind| format!("of {name} ({kind})"));
            let group = groups.entry(format!("{name}, {held}")).or_default();
            group.blocks += 1;
            group.bytes += bytes;
        };
        let noted = self.notes.all();
        let known: u64 = noted.iter().map(|(_, maker)| maker.bytes).sum();
        noted.iter().for_each(|(offset, maker)| add(maker.name, *offset, maker.bytes));
        let mut groups: Vec<(String, Group)> = groups.into_iter().collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.bytes));
        let mut lines: Vec<String> = groups
            .iter()
            .take(GROUPS_MAX)
            .map(|(name, group)| format!("{} bytes in {} arrays {name}", group.bytes, group.blocks))
            .collect();
        let others: u64 = groups.iter().skip(GROUPS_MAX).map(|(_, group)| group.bytes).sum();
        let used = self.arena().map_or(0, |arena| arena.used_bytes());
        let rest = used.saturating_sub(known) + others;
        if rest > 0 {
            lines.push(format!("{rest} bytes in others"));
        }
        let written = self.spill.written_bytes();
        if written > 0 {
            lines.push(format!("{written} bytes more are on disk"));
        }
        lines
    }
}

fn in_words(ranks: &[Rank]) -> String {
    let numbers: Vec<String> = ranks.iter().map(Rank::to_string).collect();
    format!("rank{} {}", if ranks.len() == 1 { "" } else { "s" }, numbers.join(", "))
}
