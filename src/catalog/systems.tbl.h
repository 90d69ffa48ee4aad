/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SYSTEM(relation of pg_catalog, opaque columns separated by commas or "*",
 * reason): the ones that hold values of other tables' columns, or secrets.
 */
SYSTEM("pg_statistic", "*", "samples of the columns' values")
SYSTEM("pg_statistic_ext_data", "*", "samples of the columns' values")
SYSTEM("pg_largeobject", "*", "data without columns")
SYSTEM("pg_authid", "rolpassword", "password verifiers")
SYSTEM("pg_user_mapping", "umoptions", "passwords of other servers")
SYSTEM("pg_subscription", "subconninfo", "passwords of other servers")
