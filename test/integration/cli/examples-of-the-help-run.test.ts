import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import { rootExamples } from '../../../packages/millrace/src/cli/program.ts'
import { commands } from '../../../packages/millrace/src/cli/table.ts'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { runShell, startCli } from './run-cli.ts'

it('each example in the help does what it shows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-cli-'))
  try {
    await writeFile(join(folder, 'events.ndjson'), '{"key":"1","value":"a"}\n')
    const running = commands.filter(({ safety }) => safety === 'run').map(({ name }) => name)
    // What starts and stays is run by the tests of what it starts.
    const isRunning = (example: string): boolean =>
      running.concat('dev').some((name) => example.startsWith(`millrace ${name}`))
    const examples = [...commands.flatMap((command) => command.examples), ...rootExamples]
    for (const example of examples.filter((one) => !isRunning(one))) {
      await using broker = await startTestBroker({
        topics: { orders: 4, copies: 4, router: 1 },
      })
      await using client = openClient({ brokers: [broker.address] })
      await using producer = client.producer()
      await producer.send({ topic: 'orders', key: '1', value: '{"id":1}' })
      await client.admin.setOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
      const options = { cwd: folder, env: { KAFKA_URL: broker.address } }
      if (/^millrace tail \w+$/.test(example)) {
        // Ends by Ctrl-C alone.
        await using tail = startCli(example.split(' ').slice(1), options)
        await producer.send({ topic: 'router', value: 'x' })
        tail.child.kill('SIGINT')
        continue
      }
      const { code, stderr } = await runShell(example, options)
      // Doctor's 3 would be about the machine of the test.
      const isFine = code === 0 || (example.startsWith('millrace doctor') && code === 3)
      assert.ok(isFine, `${example}: ${code} ${stderr}`)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
