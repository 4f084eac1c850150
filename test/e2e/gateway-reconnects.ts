/**
 * Closes a connection and comes back under the same name, again and again:
 *
 *     node test/e2e/gateway-reconnects.ts [RECONNECTS=10000]
 *
 * QUIT and a plain close take turns. Each time three messages are read: the first two are acknowledged, the third is
 * not, so the next connection begins with it. Exits 1 when a name was "already taken", when an acknowledged message came
 * again, or when one that was not did not.
 */
import { startTestGateway, type RawConnection } from '../harness/gateway.ts'

const reconnects = Number(process.argv[2] ?? 10_000)
const id = 'again:one'
const place = 'topics:turns:{"auto.offset.reset":"earliest"}'

await using at = await startTestGateway()
await at.createTopic('turns')
await using producer = at.client.producer()
await producer.sendMany(
  Array.from({ length: reconnects * 2 + 3 }, (_, n) => ({ topic: 'turns', value: String(n) })),
)

const startMs = performance.now()
let next = 0
for (let turn = 0; turn < reconnects; turn++) {
  const connection = await at.dial()
  expect(await connection.command('CLIENT', 'SETNAME', id), '$2\r\nOK\r\n', turn)
  for (const offset of [next, next + 1, next + 2]) {
    const reply = await connection.command('BLPOP', place, '5')
    if (!reply.includes(`\r\noffset\r\n:${offset}\r\n`)) fail(turn, `${offset} was next`, reply)
    if (offset === next + 2) break
    expect(await connection.command('RPUSH', 'acks', `turns:0:${offset}`), ':1\r\n', turn)
  }
  next += 2
  if (turn % 2 === 0) await quit(connection, turn)
  else connection.close()
}
const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
console.log(`${reconnects} of ${reconnects} reconnects under one name in ${seconds} s`)

async function quit(connection: RawConnection, turn: number): Promise<void> {
  expect(await connection.command('QUIT'), '$2\r\nOK\r\n', turn)
  connection.close()
}

function expect(reply: string, wanted: string, turn: number): void {
  if (reply !== wanted) fail(turn, JSON.stringify(wanted), reply)
}

function fail(turn: number, wanted: string, reply: string): never {
  console.log(`reconnect ${turn}: ${wanted}, and ${JSON.stringify(reply)} came`)
  process.exit(1)
}
