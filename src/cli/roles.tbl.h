/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROLE(name, function): `kuraban -x NAME` is how the parent starts its
 * processes; not for people.
 */
