/* SPDX-License-Identifier: Apache-2.0 */
/* VERB(name, usage, help), in the order of `kuraban help`. */
VERB(check, "[-c FILE] [--json]",
    N_("check the configuration and say what it means"))
VERB(serve, "[-c FILE]",
    N_("run the gate in the foreground"))
VERB(actor, "add NAME --role ROLE [--password-stdin] | list | disable NAME | "
    "enable NAME | password NAME [--password-stdin]  [-c FILE] [--json]",
    N_("add people, list them, disable and enable them, set a password"))
VERB(status, "[-c FILE] [--json]",
    N_("sessions, budgets, ledger, coverage"))
VERB(budget, "[ACTOR] [-c FILE] [--json]",
    N_("how many people each actor has received, and may"))
VERB(log, "tail [-n N] [--follow] | show N | who --database DB --subject KEY "
    "[--since DATE] | checkpoint  [-c FILE] [--json]",
    N_("read the ledger: the newest entries, one, or who saw a person"))
VERB(verify, "DIR --key VKEY [--json]",
    N_("check a ledger offline: every hash, signature, tile and order"))
VERB(trace, "LIST --out DIR --ours FILE | -c FILE --database DB [--table T] "
    "[--releases FILE] [--background FILE] "
    "[--history FILE] [--canaries FILE] [--columns 'NAME=KIND,...'] "
    "[--our-columns ...] [--schema FILE] [--calls CALLED:REACHED] [--threads N]",
    N_("say how many people a list has, from which table and by which extraction"))
VERB(normalize, "address|name|kana|phone|date [--header]",
    N_("show how the tracer reads values: lines in, tab-separated values out"))
VERB(synth, "population|releases|broker --out DIR [--seed N] [--rows N] [--children] "
    "[--customers FILE] [--releases FILE --culprits R1,R2] [--sample P] "
    "[--foreign P] [--copies X] [--damage P] [--cp932 P] [--count N] [--share P]",
    N_("make up people, releases and brokers' lists, with the truth beside"))
VERB(demo, "[--subjects N] [--keep]",
    N_("replay an extraction of customer data, without and with the gate"))
VERB(help, "[VERB]", N_("list the commands, or show one"))
VERB(version, "", N_("print the version"))
