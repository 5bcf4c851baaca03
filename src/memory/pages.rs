//! Kinds of pages, which of them this host offers for shared memory, and the order in which they are tried.

use crate::base::config::Pages;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;

/// Bytes of a huge page.
pub const HUGE_PAGE_BYTES: usize = 2 << 20;

/// The pages that a segment actually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageKind {
    /// Huge pages from the pool that the administrator configured, reserved when mapped.
    Hugetlb,
    /// Huge pages that the kernel forms where it finds contiguous memory.
    Transparent,
    /// Pages of the system's base size.
    Plain,
}

impl fmt::Display for PageKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            PageKind::Hugetlb => "huge pages of 2 MiB (hugetlb)",
            PageKind::Transparent => "transparent huge pages",
            PageKind::Plain => "plain pages",
        })
    }
}

/// Huge pages of 2 MiB in the host's pool that no process has touched or reserved.
pub fn hugepages_free() -> u64 {
    let number = |file: &str| -> Option<u64> {
        let path = format!("/sys/kernel/mm/hugepages/hugepages-2048kB/{file}");
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    number("free_hugepages").unwrap_or(0).saturating_sub(number("resv_hugepages").unwrap_or(0))
}

/// Returns true if the kernel forms transparent huge pages for shared memory that requests them.
///
/// `madvise` succeeds also where the kernel does not, and then does nothing.
pub fn transparent_for_shared() -> bool {
    let setting = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/shmem_enabled").unwrap_or_default();
    matches!(chosen(&setting), Some("always" | "within_size" | "advise" | "force"))
}

/// The word in brackets, as in `always [madvise] never`.
fn chosen(setting: &str) -> Option<&str> {
    setting.split_ascii_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'))
}

/// The kinds to try for a segment of `bytes`, best first; the last one always maps, except under [`Pages::Hugetlb`].
pub(super) fn candidates(policy: Pages, bytes: usize) -> Vec<PageKind> {
    let pooled = hugepages_free() >= bytes.div_ceil(HUGE_PAGE_BYTES) as u64;
    order(policy, pooled, transparent_for_shared())
}

fn order(policy: Pages, pooled: bool, transparent: bool) -> Vec<PageKind> {
    let mut kinds = Vec::with_capacity(3);
    if policy == Pages::Hugetlb || (policy == Pages::Auto && pooled) {
        kinds.push(PageKind::Hugetlb);
    }
    if matches!(policy, Pages::Auto | Pages::Transparent) && transparent {
        kinds.push(PageKind::Transparent);
    }
    if policy != Pages::Hugetlb {
        kinds.push(PageKind::Plain);
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use PageKind::{Hugetlb, Plain, Transparent};

    #[test]
    fn each_policy_yields_its_order_of_page_kinds() {
        assert_eq!(order(Pages::Auto, true, true), [Hugetlb, Transparent, Plain]);
        assert_eq!(order(Pages::Auto, false, true), [Transparent, Plain]);
        assert_eq!(order(Pages::Auto, false, false), [Plain]);
        assert_eq!(order(Pages::Transparent, true, false), [Plain]);
        assert_eq!(order(Pages::Hugetlb, false, true), [Hugetlb]);
        assert_eq!(order(Pages::Plain, true, true), [Plain]);
    }

    #[test]
    fn chosen_setting_is_the_word_in_brackets() {
        assert_eq!(chosen("always within_size advise [never] deny force\n"), Some("never"));
        assert_eq!(chosen(""), None);
    }
}
