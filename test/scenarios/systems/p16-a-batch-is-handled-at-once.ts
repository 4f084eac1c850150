/**
 * One message at a time costs a statement each (P16). A batch handler gets many of one partition, in order, at once; a
 * short one does not wait at the end of the partition; and the named ones that fail do not take the others with them.
 */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  failed,
  json,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const clicks = defineTopic('clicks', { value: json<{ readonly n: number }>() })
const count = 300

await scenario(
  { topics: { clicks: { partitions: 2 }, 'clicks-dlt': { partitions: 2 } } },
  async (scene) => {
    let naiveStatements = 0
    const statements: { readonly partition: number; readonly rows: readonly number[] }[] = []
    const bad = new Set([7, 150])
    const tries = new Map<number, number>()
    const single = defineConsumer({
      topic: clicks,
      group: 'single',
      each: () => void naiveStatements++,
    })
    const batched = defineConsumer({
      topic: clicks,
      group: 'batched',
      maxMessages: 100,
      maxWait: '2s',
      backoff: '20ms',
      retries: 2,
      deadLetter: true,
      batch(messages) {
        assert.equal(messages.values.length, messages.size)
        assert.ok(messages.first.offset <= messages.last.offset)
        const failing = [...messages].filter(({ value }) => bad.has(value.n))
        for (const { value } of failing) tries.set(value.n, (tries.get(value.n) ?? 0) + 1)
        const rows = messages.values.map(({ n }) => n).filter((n) => !bad.has(n))
        if (rows.length > 0) statements.push({ partition: messages.first.partition, rows })
        return failed(failing.map((message) => ({ message, error: new Error('a bad click') })))
      },
    })
    await scene.send(
      'clicks',
      Array.from({ length: count }, (_, n) => ({ partition: n % 2, value: `{"n":${n}}` })),
    )
    const { start, committed } = scenarioApp(scene, { consumers: [single, batched] }, {})
    {
      await using worker = await start()
      await scene.until('both have all', () => worker.partitions.every(({ lag }) => lag === 0), {
        lastSeen: () => worker.partitions,
      })
      await scene.until(
        'all rows are in',
        () => statements.flatMap(({ rows }) => rows).length === count - 2,
      )
      await scene.until('one by one has all', () => naiveStatements === count)
      assert.ok(statements.length * 20 <= naiveStatements, `${statements.length} statements`)

      // At the end of the partition nobody waits for a batch to fill.
      const before = performance.now()
      await scene.send('clicks', [{ partition: 0, value: '{"n":1000}' }])
      await scene.until('a single one comes', () => statements.at(-1)?.rows.includes(1000) === true)
      assert.ok(performance.now() - before < 2000, 'not after maxWait')
    }
    for (const partition of [0, 1]) {
      const rows = statements
        .filter((one) => one.partition === partition)
        .flatMap((one) => one.rows)
      assert.deepEqual(
        rows,
        rows.toSorted((a, b) => a - b),
        'in order',
      )
    }
    assert.deepEqual(Object.fromEntries(tries), { 7: 3, 150: 3 })
    const letters = await Promise.all([0, 1].map((partition) => scene.log('clicks-dlt', partition)))
    const given = letters.flatMap(({ records }) => records.map(({ value }) => value?.toString()))
    assert.deepEqual(new Set(given), new Set(['{"n":7}', '{"n":150}']))
    assert.equal(await committed('batched', 'clicks', 0), 151)
  },
)
