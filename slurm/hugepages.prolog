#!/usr/bin/env bash
# Huge pages for jobs that ask for them. Only root may reserve them, so this is for the site's administrator, who names it
# twice in slurm.conf:
#
#   Prolog=/etc/slurm/hugepages.prolog
#   Epilog=/etc/slurm/hugepages.prolog
#
# A job asks for an amount on each of its hosts, and gets what of it there is:
#
#   sbatch --comment=hugepages:16G slurm/job.sbatch ./my_program
#
# mobula then finds them: its store takes 30 % of a host's memory (MOBULA_STORE_BYTES) in huge pages where there are that many.
# A reservation takes the memory from everybody else, so the epilog gives it back.
#
# Slurm drains a host whose prolog fails. Huge pages are no reason for that: whatever happens, this ends with 0.
notes=/run/mobula-hugepages
count=/proc/sys/vm/nr_hugepages
note=$notes/${SLURM_JOB_ID:-none}

wanted=0
if [[ ${SLURM_JOB_COMMENT:-} =~ hugepages:([0-9]+[KMGT]?) ]]; then
    bytes=$(numfmt --from=iec "${BASH_REMATCH[1]}")
    page_bytes=$(($(awk '/^Hugepagesize:/ { print $2 }' /proc/meminfo) * 1024))
    wanted=$(((bytes + page_bytes - 1) / page_bytes))
fi

reserve() {
    [ "$wanted" -gt 0 ] || return 0
    local before after
    before=$(cat "$count")
    # The kernel takes time over each page if it must first move others away.
    echo 1 >/proc/sys/vm/compact_memory
    echo $((before + wanted)) >"$count"
    after=$(cat "$count")
    echo $((after - before)) >"$note"
}

give_back() {
    [ -e "$note" ] || return 0
    echo $(($(cat "$count") - $(cat "$note"))) >"$count"
    rm "$note"
}

mkdir -p "$notes"
{
    # Jobs that share a host begin and end together sometimes.
    flock 9
    case ${SLURM_SCRIPT_CONTEXT:-} in
        prolog_slurmd) reserve ;;
        epilog_slurmd) give_back ;;
    esac
} 9>"$notes/lock" 2>&1 | logger -t mobula-hugepages 2>/dev/null
exit 0
