/** The same faults with upsert: one row per key, the newest, and never an older version over a newer one. */
import assert from 'node:assert/strict'
import { runFaultMatrix } from '../../harness/fault-matrix.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async (scene) => {
  const { states, stepsBack, messages } = await runFaultMatrix(scene, 'upsert')
  const n = messages / 4 - 1
  assert.deepEqual(
    states,
    ['e0', 'e1', 'e2', 'e3'].map((entity) => ({ entity, n })),
  )
  assert.equal(stepsBack, 0)
})
