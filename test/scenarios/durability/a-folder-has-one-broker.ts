/** A second `millrace broker` on the same data is refused, names the first one, and harms nothing; once the first is dead the folder is free. */
import assert from 'node:assert/strict'
import { openClient } from '../../../packages/millrace/src/client/index.ts'
import { onlyOurs, startBrokerCommand } from '../../harness/broker-command.ts'
import { scenario } from '../../harness/scenario.ts'
import { runCli } from '../../integration/cli/run-cli.ts'

await scenario({ skipOn: onlyOurs }, async () => {
  await using broker = await startBrokerCommand()
  const send = async (value: string): Promise<number> => {
    await using client = openClient({ brokers: [broker.address] })
    return (await client.producer().send({ topic: 'orders', partition: 0, value })).offset
  }
  assert.equal(await send('a'), 0)
  const second = await runCli(['broker', '--data', broker.folder, '--port', '0'])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /MR_STORAGE_LOCKED/)
  const port = broker.address.slice(broker.address.lastIndexOf(':') + 1)
  assert.ok(second.stderr.includes(port), second.stderr)
  assert.equal(await send('b'), 1)

  await broker.kill()
  await broker.start()
  assert.equal(await send('c'), 2)
})
