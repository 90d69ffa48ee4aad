/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list sold over and over: trace_replay LIST ROWS writes so many rows to
 * standard output, LIST from end to end again and again. Each time a row is as it
 * was or in its one other form: telephone without hyphens, dates with slashes,
 * or without postal code or sex. So a row has two different forms, however often
 * it comes, and the persons are those of LIST.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT (1u << 20)
#define FIELDS 7

static uint64_t
mix(uint64_t z)
{
	z = (z + 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull;
	return z ^ z >> 29;
}

/* Replaces `from` in p[0..n) by `to`, or drops it when `to` is 0. */
static size_t
without(char *out, const char *p, size_t n, char from, char to)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (p[i] != from)
			out[k++] = p[i];
		else if (to)
			out[k++] = to;
	return k;
}

/* name,kana,birth,sex,zip,address,phone: commas only between fields. */
static size_t
other_form(char *out, const char *row, size_t n, unsigned kind)
{
	static const unsigned field[] = {6, 2, 4, 3};
	const char *p = row, *e = row + n;
	size_t k = 0;

	for (unsigned f = 0; f < FIELDS; f++) {
		const char *c = f + 1 < FIELDS ? memchr(p, ',',
		    (size_t)(e - p)) : e;
		size_t len;

		if (!c)
			c = e;
		len = (size_t)(c - p);
		if (f != field[kind]) {
			memcpy(out + k, p, len);
			k += len;
		} else if (kind < 2)
			k += without(out + k, p, len, '-', kind ? '/' : 0);
		if (c < e)
			out[k++] = ',';
		p = c < e ? c + 1 : e;
	}
	return k;
}

static void
flush(char *out, size_t *n)
{
	for (size_t done = 0; done < *n;) {
		ssize_t k = write(STDOUT_FILENO, out + done, *n - done);

		if (k <= 0)
			exit(1);
		done += (size_t)k;
	}
	*n = 0;
}

int
main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	uint64_t rows = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
	char *out = malloc(OUT);
	struct stat st;
	const char *p, *end, *first;
	size_t n = 0;

	if (fd < 0 || !out || fstat(fd, &st) != 0) {
		fputs("trace_replay LIST ROWS\n", stderr);
		return 2;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	end = p + st.st_size;
	first = (const char *)memchr(p, '\n', (size_t)st.st_size) + 1;
	memcpy(out, p, n = (size_t)(first - p));
	for (uint64_t written = 0, copy = 0; written < rows; copy++) {
		uint64_t i = 0;

		for (const char *r = first; r < end && written < rows; i++) {
			const char *e = memchr(r, '\n', (size_t)(end - r));
			size_t len = (size_t)((e ? e : end) - r);

			if (n + 2 * len + 4096 > OUT)
				flush(out, &n);
			if (mix(i * 64 + copy) >> 40 & 1) {
				n += other_form(out + n, r, len,
				    mix(i) >> 50 & 3);
			} else {
				memcpy(out + n, r, len);
				n += len;
			}
			out[n++] = '\n';
			written++;
			r = e ? e + 1 : end;
		}
	}
	flush(out, &n);
	return 0;
}
