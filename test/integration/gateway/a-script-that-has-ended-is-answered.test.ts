import assert from 'node:assert/strict'
import { it } from 'node:test'
import { encode, startTestGateway } from '../../harness/gateway.ts'

it('answers reads of a script that has already ended its side', async () => {
  await using at = await startTestGateway()
  await at.createTopic('script')
  const connection = await at.dial()
  const commands = [
    ['XADD', 'script', '*', 'n', '1'],
    ['XRANGE', 'script', '-', '+'],
    ['XREAD', 'STREAMS', 'script@0', '0-0'],
    ['XREAD', 'STREAMS', 'script', '0'],
    ['PING'],
  ]
  connection.write(Buffer.concat(commands.map((words) => encode(words))))
  connection.end()
  const replies = (await connection.rest()).split(/(?=^[+*-])/m)
  assert.doesNotMatch(replies.join(''), /^-/m)
  assert.equal(replies.join('').match(/\r\nn\r\n/g)?.length, 3, 'three reads found the entry')
  assert.ok(replies.join('').endsWith('+PONG\r\n'))
})
