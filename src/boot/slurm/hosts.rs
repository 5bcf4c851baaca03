//! Expands Slurm's host lists: `node[1-3,07-09],gpu-a[1,3]b[2-4],login`.
//!
//! Several brackets in one name multiply, the last one running fastest; a range keeps the leading zeros of its first
//! number. Pure.

/// The most hosts that a list may name; Slurm's own bound is the same.
const HOSTS_MAX: usize = 65_536;

/// All hosts of the list in order; `None` if it is malformed or names too many.
pub fn expand(list: &str) -> Option<Vec<String>> {
    let mut hosts = Vec::new();
    for name in split(list, ',')? {
        let hosts_left = HOSTS_MAX - hosts.len();
        hosts.extend(expand_name(name.trim(), hosts_left)?);
    }
    Some(hosts)
}

/// The parts between commas outside of brackets.
fn split(list: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut inside) = (Vec::new(), 0, false);
    for (at, letter) in list.char_indices() {
        match letter {
            '[' if inside => return None,
            '[' => inside = true,
            ']' if !inside => return None,
            ']' => inside = false,
            _ if letter == separator && !inside => {
                parts.push(&list[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[begin..]);
    (!inside).then_some(parts)
}

fn expand_name(name: &str, hosts_left: usize) -> Option<Vec<String>> {
    if name.is_empty() {
        return None;
    }
    let mut hosts = vec![String::new()];
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        let (numbers, after) = after.split_once(']')?;
        let numbers = expand_numbers(numbers, hosts_left)?;
        if hosts.len() * numbers.len() > hosts_left {
            return None;
        }
        hosts =
            hosts.iter().flat_map(|host| numbers.iter().map(move |number| format!("{host}{before}{number}"))).collect();
        rest = after;
    }
    hosts.iter_mut().for_each(|host| host.push_str(rest));
    (hosts.len() <= hosts_left).then_some(hosts)
}

/// `1-3,07`: each number as written; the numbers of a range are as wide as its first.
fn expand_numbers(text: &str, hosts_left: usize) -> Option<Vec<String>> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if ![first, last].iter().all(|end| !end.is_empty() && end.bytes().all(|digit| digit.is_ascii_digit())) {
            return None;
        }
        let width = first.len();
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        if last < first || (last - first) as usize >= hosts_left.checked_sub(numbers.len())? {
            return None;
        }
        numbers.extend((first..=last).map(|number| format!("{number:0width$}")));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastrand::Rng;

    fn expanded(list: &str) -> String {
        expand(list).map_or("refused".to_string(), |hosts| hosts.join(" "))
    }

    #[test]
    fn expand_returns_all_hosts_in_order() {
        for (list, hosts) in [
            ("n1", "n1"),
            ("n1,n2", "n1 n2"),
            ("node[1-3,07-09]", "node1 node2 node3 node07 node08 node09"),
            ("gpu-a[1,3]b[2-4]", "gpu-a1b2 gpu-a1b3 gpu-a1b4 gpu-a3b2 gpu-a3b3 gpu-a3b4"),
            ("n[098-101].site.org,login", "n098.site.org n099.site.org n100.site.org n101.site.org login"),
            ("n[3,1]", "n3 n1"),
        ] {
            assert_eq!(expanded(list), hosts, "{list}");
        }
    }

    #[test]
    fn expand_of_malformed_or_too_long_list_returns_none() {
        for list in [
            "", "n1,", ",n1", "n[", "n[1", "n]", "n[]", "n[1-]", "n[-1]", "n[3-1]", "n[a-b]", "n[[1]]", "n[1]]",
            "n[+1]",
        ] {
            assert_eq!(expand(list), None, "{list}");
        }
        assert_eq!(expand("n[0-65536]"), None, "too many");
        assert_eq!(expand("n[1-300][1-300]"), None, "too many");
        assert_eq!(expand("n[0-18446744073709551615]"), None, "too many");
        assert_eq!(expand("n[0-65535]").unwrap().len(), 65_536);
    }

    #[test]
    fn expand_of_random_list_returns_its_hosts() {
        for seed in 0..500 {
            let mut rng = Rng::with_seed(seed);
            let (mut list, mut hosts) = (Vec::new(), Vec::new());
            for _ in 0..=rng.u64(..4) {
                let prefix = ["n", "gpu-a", "x1y", "login"][rng.usize(..4)];
                let width = rng.usize(..4);
                let mut parts = Vec::new();
                for _ in 0..=rng.u64(..3) {
                    let first = rng.u64(..120);
                    let last = first + rng.u64(..12);
                    let width = format!("{first:0width$}").len();
                    parts.push(if first == last && rng.u64(..2) == 0 {
                        format!("{first:0width$}")
                    } else {
                        format!("{first:0width$}-{last}")
                    });
                    hosts.extend((first..=last).map(|number| format!("{prefix}{number:0width$}")));
                }
                list.push(format!("{prefix}[{}]", parts.join(",")));
            }
            assert_eq!(expand(&list.join(",")), Some(hosts), "seed {seed}: {}", list.join(","));
        }
    }

    #[test]
    fn expand_of_random_text_does_not_panic() {
        for seed in 0..5000 {
            let mut rng = Rng::with_seed(seed);
            let letters: String = (0..rng.u64(..24)).map(|_| b"n[]-,019 "[rng.usize(..9)] as char).collect();
            assert!(expand(&letters).is_none_or(|hosts| hosts.len() <= HOSTS_MAX), "seed {seed}: {letters}");
        }
    }
}
