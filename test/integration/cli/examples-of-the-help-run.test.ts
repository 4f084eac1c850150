import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { rootExamples } from '../../../packages/millrace/src/cli/program.ts'
import { loadCommands } from '../../../packages/millrace/src/cli/table.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runShell, startCli } from './run-cli.ts'

const commands = await loadCommands()
// What starts and stays is run by the tests of what it starts.
const staying = commands.filter(({ safety }) => safety === 'run').map(({ name }) => name)
const examples = new Set(
  [...commands.flatMap((command) => command.examples), ...rootExamples].filter(
    (example) => !staying.some((name) => example.startsWith(`millrace ${name}`)),
  ),
)

const sources = join(import.meta.dirname, '../../../packages/millrace/src/index.ts')
const bootFile = `import { defineApp, defineConfig, defineTopic } from ${JSON.stringify(sources)}
export default defineConfig({ app: defineApp({ topics: [defineTopic('orders', { partitions: 6 })] }) })
`
const sqliteSources = join(import.meta.dirname, '../../../packages/millrace/src/sqlite/index.ts')
const outboxFile = `import { DatabaseSync } from 'node:sqlite'
import { defineApp, defineConfig } from ${JSON.stringify(sources)}
import { sqlOutbox } from ${JSON.stringify(sqliteSources)}
const outbox = sqlOutbox(new DatabaseSync('app.db'))
await outbox.createTables()
export default defineConfig({ app: defineApp({ runnables: [outbox.relay()] }) })
`

describe('each example in the help does what it shows', { concurrency: 2 }, () => {
  for (const example of examples) {
    it(example, async () => {
      await using broker = await startTestBroker({
        topics: { orders: 4, copies: 4, router: 1, 'orders-dlt': 1 },
      })
      await using client = openClient({ brokers: [broker.address] })
      await using producer = client.producer()
      await producer.send({ topic: 'orders', key: '1', value: '{"id":1}' })
      await producer.send({ topic: 'orders-dlt', value: '{"id":1}' })
      await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
      const folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
      const options = { cwd: folder, env: { KAFKA_URL: broker.address } }
      try {
        if (/millrace (flow|console|topics (plan|migrate|align|repartition|reset))/.test(example))
          await writeFile(join(folder, 'millrace.config.ts'), bootFile)
        if (example.startsWith('millrace outbox'))
          await writeFile(join(folder, 'millrace.config.ts'), outboxFile)
        await writeFile(join(folder, 'events.ndjson'), '{"key":"1","value":"a"}\n')
        if (/^millrace tail \w+$/.test(example)) {
          // Ends by Ctrl-C alone.
          await using tail = startCli(example.split(' ').slice(1), options)
          tail.child.kill('SIGINT')
          return
        }
        const { code, stderr } = await runShell(example, options)
        // Doctor's 3 would be about the machine of the test.
        const isFine = code === 0 || (example.startsWith('millrace doctor') && code === 3)
        assert.ok(isFine, `${example}: ${code} ${stderr}`)
      } finally {
        await rm(folder, { recursive: true })
      }
    })
  }
})
