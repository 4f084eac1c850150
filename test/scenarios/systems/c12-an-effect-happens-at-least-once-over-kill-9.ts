/** Killed at each step between receipt and commit, a plain handler leaves out nothing; it repeats what was not committed. */
import assert from 'node:assert/strict'
import { runFaultMatrix } from '../../harness/fault-matrix.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario({ topics: { orders: {} } }, async (scene) => {
  const { effects, messages } = await runFaultMatrix(scene, 'plain')
  assert.equal(effects.length, messages, 'each at least once')
  const repeats = effects.filter((times) => times > 1).length
  assert.ok(repeats > 0, 'without help some come again')
  console.log(`${messages} messages, ${repeats} had their effect more than once`)
})
