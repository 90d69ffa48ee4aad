/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROLE(name, function): `kuraban -x NAME` is how the parent starts its
 * processes; not for people.
 */
ROLE("gate", gate_main)
ROLE("ledger", ledger_main)
