/* Registrations that the start refuses: `twice` by MOBULA_TASK, or a function of one rank only. */
#include "check.h"

static mobula_status same(mobula_call *call, void *user) {
    (void)call, (void)user;
    return MOBULA_OK;
}
MOBULA_TASK(same)

#ifdef TWICE
__attribute__((constructor)) static void again(void) { mobula_register_before_main("same", same, 1); }
#endif

int main(int argc, char **argv) {
    mobula_status status;
    const char *rank = getenv("MOBULA_RANK");
    if (argc > 1 && rank != NULL && strcmp(rank, "1") == 0) OK(mobula_register(argv[1], same, NULL, 1));
    status = mobula_init(NULL);
    printf("%s: %s\n", mobula_status_name(status), mobula_last_error());
    return status == MOBULA_OK;
}
