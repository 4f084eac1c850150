import { it } from 'node:test'

import { fuzzBodies } from '../../fuzz/drain-bodies.ts'

it('reads 5,000 mutated bodies without an exception and without losing a byte', () => {
  fuzzBodies(5_000, 20_261_124)
})
