import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { makeReaderFolder, type ReaderFolder } from '../docs/reader-folder.ts'
import { runCli, type CliResult } from './run-cli.ts'

const bootFile = `import { ApplicationConsumer, ApplicationResponder, defineApp, defineConfig, defineConsumer, defineTopic } from 'millrace'

interface UserEvent { readonly event_name: string; readonly payload?: object }
export const users = defineTopic<UserEvent>('users', { partitions: 1 })
const audits = defineTopic('user-audits')
const orders = defineTopic('orders')

class UsersResponder extends ApplicationResponder<{ users: typeof users, audits: { topic: typeof audits } }> {
  static override readonly topics = { users, audits: { topic: audits, required: false } }
  respond(event: UserEvent) { this.respondTo('users', event) }
}
class OrdersConsumer extends ApplicationConsumer<typeof orders> {
  consume() { console.log('handled', this.message.value) }
}

export default defineConfig({
  clientId: 'shop',
  brokers: ['localhost:1'],
  app: defineApp({
    responders: [UsersResponder],
    consumers: [
      defineConsumer({ topic: orders, group: 'mail', use: OrdersConsumer, responder: UsersResponder, retries: 1, deadLetter: true }),
      defineConsumer({ topic: users, group: 'audit', each() {} }),
      defineConsumer({ topic: users, group: 'accounts', each() {} }),
    ],
  }),
})
`

async function applicationFolder(): Promise<ReaderFolder> {
  const folder = await makeReaderFolder()
  await writeFile(join(folder.path, 'millrace.config.ts'), bootFile)
  return folder
}

describe('millrace flow', () => {
  it('shows where what is consumed goes to', async () => {
    await using folder = await applicationFolder()
    const { code, stdout, stderr } = await runCli(['flow'], { cwd: folder.path })
    assert.equal(code, 0, stderr)
    assert.equal(
      stdout,
      [
        'orders => users (always), user-audits (conditionally), orders-dlt (when given up)',
        'users [audit] => (nothing)',
        'users [accounts] => (nothing)',
        '',
      ].join('\n'),
    )
    const { stdout: json } = await runCli(['flow', '--json'], { cwd: folder.path })
    const [first] = JSON.parse(json) as { readonly consumer: string; readonly group: string }[]
    assert.deepEqual([first?.consumer, first?.group], ['OrdersConsumer', 'mail'])
  })
})

describe('millrace console', () => {
  it('runs a script statement by statement, with what the application declares in scope', async () => {
    await using broker = await startTestBroker({ topics: { users: 1, orders: 1 } })
    const { code, stdout, stderr } = await consoleOf(broker.address, [
      'const event = {',
      "  event_name: 'user_created', payload: { user_id: 1 } }",
      '',
      'await UsersResponder.call(event)',
      'const { offset } = await send(users, { value: event })',
      'function twice(n) { return 2 * n }',
      'twice(offset)',
      'for (const name of Object.keys(topics).toSorted()) console.log(name)',
      '[userAudits.name, consumers.audit === undefined, Array.isArray(event)]',
    ])
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^Appended 1 message to users\/0:0 on localhost:\d+ \(node 1\)$/m)
    assert.match(
      stdout,
      /users: \[\s+\[\s+'\{"event_name":"user_created","payload":\{"user_id":1\}\}',\s+\{ topic: 'users' \}/,
    )
    assert.match(stdout, /^2\norders\nuser-audits\nusers\n\[ 'user-audits', true, false \]\n/m)
  })

  it('runs a worker by hand, and ends with it', async () => {
    await using broker = await startTestBroker({ topics: { users: 1, orders: 1 } })
    const { code, stdout, stderr } = await consoleOf(broker.address, [
      "const worker = await startWorker(config, { include: ['group:mail'] })",
      "await send('orders', { value: { id: 7 } })",
      'while (worker.partitions[0].position < 1) await new Promise((go) => setTimeout(go, 10))',
      'worker.state',
    ])
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /handled \{ id: 7 \}/)
    assert.match(stdout, /^'running'$/m)
    assert.match(stdout, /Committed orders\/0:1/)
  })

  it('ends with 1 at the first statement that fails', async () => {
    const failing = [
      [['await Promise.reject(new Error("no such user"))', 'console.log("after")'], /no such user/],
      [['nothing.at.all'], /ReferenceError: nothing is not defined/],
      [['1 +', ')'], /not complete, or none/],
    ] as const
    for (const [lines, shown] of failing) {
      const { code, stdout } = await consoleOf('localhost:1', lines)
      assert.equal(code, 1, stdout)
      assert.match(stdout, shown)
      assert.doesNotMatch(stdout, /^after/m)
    }
  })
})

async function consoleOf(brokers: string, lines: readonly string[]): Promise<CliResult> {
  await using folder = await applicationFolder()
  return await runCli(['console', '--brokers', brokers], {
    cwd: folder.path,
    input: `${lines.join('\n')}\n`,
  })
}
