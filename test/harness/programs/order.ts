/**
 * One request of an order service: the order and its event, in one transaction. Kills itself with SIGKILL at a step.
 * Argument: `file` of the database, topic, id of the order, `dieAt` before or after the commit.
 */
import { DatabaseSync } from 'node:sqlite'
import { defineTopic, json } from '../../../packages/millrace/src/app/index.ts'
import { sqlOutbox, transaction } from '../../../packages/millrace/src/sqlite/index.ts'

const { file, id, dieAt } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly file: string
  readonly id: number
  readonly dieAt: 'between' | 'before the commit' | 'after the commit'
}
const database = new DatabaseSync(file)
const outbox = sqlOutbox(database)
const orders = defineTopic('orders', { value: json<{ readonly id: number }>() })
const at = (step: string): void => {
  if (step === dieAt) process.kill(process.pid, 'SIGKILL')
}

await transaction(database, (tx) => {
  tx.prepare('insert into orders (id) values (?)').run(id)
  at('between')
  outbox.send(tx, orders, { key: String(id), value: { id } })
  at('before the commit')
})
at('after the commit')
