#!/usr/bin/env bash
# Huge pages for jobs that ask for them. Only root may reserve them, so the site's administrator names this script twice
# in slurm.conf:
#
#   Prolog=/etc/slurm/hugepages.prolog
#   Epilog=/etc/slurm/hugepages.prolog
#
# A job requests an amount on each of its hosts, and gets as much of it as there is:
#
#   sbatch --comment=hugepages:16G slurm/job.sbatch ./my_program
#
# mobula then uses them: its store takes 30 % of a host's memory (MOBULA_STORE_BYTES) in huge pages if there are that
# many. No other process can use reserved memory, so the epilog releases it.
#
# Slurm drains a host whose prolog fails. Huge pages are no reason for that: this script always ends with 0.
records=/run/mobula-hugepages
count=/proc/sys/vm/nr_hugepages
record=$records/${SLURM_JOB_ID:-none}

requested=0
if [[ ${SLURM_JOB_COMMENT:-} =~ hugepages:([0-9]+[KMGT]?) ]]; then
    bytes=$(numfmt --from=iec "${BASH_REMATCH[1]}")
    page_bytes=$(($(awk '/^Hugepagesize:/ { print $2 }' /proc/meminfo) * 1024))
    requested=$(((bytes + page_bytes - 1) / page_bytes))
fi

reserve() {
    [ "$requested" -gt 0 ] || return 0
    local before after
    before=$(cat "$count")
    # The kernel reserves a page faster if memory is compacted first.
    echo 1 >/proc/sys/vm/compact_memory
    echo $((before + requested)) >"$count"
    after=$(cat "$count")
    echo $((after - before)) >"$record"
}

release() {
    [ -e "$record" ] || return 0
    echo $(($(cat "$count") - $(cat "$record"))) >"$count"
    rm "$record"
}

mkdir -p "$records"
{
    # Jobs that share a host may begin or end at the same time.
    flock 9
    case ${SLURM_SCRIPT_CONTEXT:-} in
        prolog_slurmd) reserve ;;
        epilog_slurmd) release ;;
    esac
} 9>"$records/lock" 2>&1 | logger -t mobula-hugepages 2>/dev/null
exit 0
