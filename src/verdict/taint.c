/* SPDX-License-Identifier: Apache-2.0 */
/* The algebra of taints; see flow.h for what they mean. */
#include "verdict/flow.h"

static unsigned
count(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

static uint32_t
add(uint32_t a, uint32_t b)
{
	return a > VERDICT_OPAQUE - 1 - b ? VERDICT_OPAQUE - 1 : a + b;
}

bool
taint_any(struct taint t)
{
	return t.p != 0 || t.k != 0 || t.one != 0 || t.extra > 0 || t.dep || t.opaque || t.vague;
}

void
taint_merge(struct taint *a, struct taint b)
{
	a->p |= b.p;
	a->k |= b.k;
	a->one |= b.one;
	a->extra = add(a->extra, b.extra);
	a->dep |= b.dep;
	a->opaque |= b.opaque;
	a->vague |= b.vague;
	a->chosen |= b.chosen;
}

void
taint_presence(struct taint *a, struct taint b)
{
	if (!b.dep)
		return;
	b.k = 0;
	b.opaque |= b.chosen;
	taint_merge(a, b);
}

uint32_t
taint_weight(struct taint t)
{
	uint32_t n = add(count(t.p | t.k | t.one), t.extra);

	if (t.opaque)
		return VERDICT_OPAQUE;
	return n == 0 && (t.dep || t.vague) ? 1 : n;
}

uint64_t
judge_same(const struct judge *j, uint64_t set)
{
	uint64_t seen = 0, all = bits(0, j->ninst);

	set &= all;
	while ((set & ~seen) != 0) {
		unsigned i = (unsigned)__builtin_ctzll(set & ~seen);

		seen |= bit((int)i);
		set |= j->inst[i].same & all;
	}
	return set;
}

void
taint_leave(const struct judge *j, const struct query *q, uint64_t keep, struct taint *t)
{
	taint_absorb(j, q->base, t);
	keep |= bits(0, q->base);
	t->one |= (t->p | t->k) & ~keep;
	t->p &= keep;
	t->k &= keep;
}

/*
 * Rows of an inner instance that belong to the subject of an outer row (joined
 * to it by the key) show that subject and nobody else. Inner instances without
 * such an outer one stay as they are.
 */
void
taint_absorb(const struct judge *j, unsigned base, struct taint *t)
{
	uint64_t inner = (t->p | t->k | t->one) & ~bits(0, base);

	for (; inner != 0; inner &= inner - 1) {
		uint64_t b = inner & -inner;

		for (unsigned o = 0; o < base; o++) {
			if ((judge_same(j, bit((int)o)) & b) == 0)
				continue;
			if (t->dep)
				t->p |= bit((int)o);
			else
				t->k |= bit((int)o);
			t->p &= ~b;
			t->k &= ~b;
			t->one &= ~b;
			break;
		}
	}
}

bool
taint_rowwise(struct taint t, uint64_t within)
{
	return ((t.p | t.k) & ~within) == 0 && t.one == 0 && t.extra == 0 && !t.opaque &&
	    !t.vague && !t.chosen;
}
