/* SPDX-License-Identifier: Apache-2.0 */
#include "meter/token.h"

#include <sodium.h>
#include <string.h>

#include "base/err.h"

uint64_t
token_make(const uint8_t year_key[TOKEN_KEY_BYTES], struct slice database,
    struct slice domain, struct slice key)
{
	uint8_t in[256 + 256 + TOKEN_KEY_MAX], hash[crypto_shorthash_BYTES];
	struct rd r;
	size_t n;

	must(database.len < 256 && domain.len < 256 && key.len <= TOKEN_KEY_MAX);
	memcpy(in, database.p, database.len);
	n = database.len;
	in[n++] = 0;
	memcpy(in + n, domain.p, domain.len);
	n += domain.len;
	in[n++] = 0;
	if (key.len > 0)
		memcpy(in + n, key.p, key.len);
	n += key.len;
	crypto_shorthash(hash, in, n, year_key);
	r = rd_init(hash, sizeof(hash));
	return rd_u64(&r);
}

/* Howard Hinnant's civil_from_days, the year only. */
int
token_year(int32_t day)
{
	int64_t z = (int64_t)day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);

	return (int)(yoe + era * 400 + ((5 * doy + 2) / 153 >= 10));
}
