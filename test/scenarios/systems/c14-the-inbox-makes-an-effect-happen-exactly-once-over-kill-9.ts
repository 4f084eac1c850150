/** The same faults with an inbox: each effect exactly once; what came again is counted, and the handler never saw it. */
import assert from 'node:assert/strict'
import { runFaultMatrix } from '../../harness/fault-matrix.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async (scene) => {
  const { effects, duplicates, messages } = await runFaultMatrix(scene, 'inbox')
  assert.equal(effects.length, messages)
  assert.ok(
    effects.every((times) => times === 1),
    'each exactly once',
  )
  assert.ok(duplicates > 0, 'what was done before a kill, and not committed, was counted')
  console.log(`${messages} messages, ${duplicates} came again and changed nothing`)
})
