/** `include` and `exclude` choose consumers by group, topic or name; a name that nobody has is an error at start. */
import assert from 'node:assert/strict'
import { defineConsumer, defineTopic } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: {} } }, async (scene) => {
  const seen: string[] = []
  const { start } = scenarioApp(scene, {
    consumers: ['mail', 'billing'].map((name) =>
      defineConsumer({ topic: orders, name, each: () => void seen.push(name) }),
    ),
  })
  await scene.send('orders', [{ value: '1' }])
  {
    await using worker = await start({ include: ['group:mail'] })
    await scene.until('mail has it', () => seen.length === 1)
    assert.deepEqual(
      worker.partitions.map(({ group }) => group),
      ['mail'],
    )
  }
  {
    await using worker = await start({ exclude: ['mail'] })
    await scene.until('billing has it', () => seen.length === 2)
    assert.equal(worker.partitions.length, 1)
  }
  assert.deepEqual(seen, ['mail', 'billing'])
  await assert.rejects(start({ include: ['group:mall'] }), {
    code: 'MR_CONFIG_INVALID',
    message: /there is no group mall; did you mean mail\?/,
  })
})
