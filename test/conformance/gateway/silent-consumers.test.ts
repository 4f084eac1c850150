import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestGateway, type TestGateway } from '../../harness/gateway.ts'
import { until } from '../../harness/until.ts'
import { committed, named, nothingCame, put, shown } from './consumers.ts'

describe('a consumer whose client is silent', { concurrency: true }, () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway[Symbol.asyncDispose]())

  const intervals =
    '{"auto.offset.reset":"earliest","session.timeout.ms":2000,"heartbeat.interval.ms":500,"max.poll.interval.ms":2000}'

  const members = async (group: string): Promise<number> => {
    const [described] = await gateway.client.admin.describeGroups([group])
    return described?.members.length ?? 0
  }

  /** A consumer that comes, and is silent until it has left: for so long everybody else was looked at. */
  const control = async (
    topic: string,
    group: string,
    meanwhile?: () => Promise<void>,
  ): Promise<void> => {
    const connection = await named(gateway, `${group}:control`)
    await connection.command('BLPOP', `topics:${topic}:${intervals}`, '0.01')
    await until('it has come', async () => (await members(group)) === 1)
    await until('it has left', async () => {
      await meanwhile?.()
      return (await members(group)) === 0
    })
  }

  it('leaves after max.poll.interval.ms; its next call joins again', async () => {
    await gateway.createTopic('silent')
    await put(gateway, 'silent', ['a', 'b'])
    const connection = await named(gateway, 'silent:one')
    const key = `topics:silent:${intervals}`
    assert.equal(await connection.command('BLPOP', key, '5'), shown('silent', 0, 0, 'a'))
    await connection.command('RPUSH', 'acks', 'silent:0:0')
    await until('it has left', async () => (await members('silent')) === 0)
    assert.equal(await committed(gateway, 'silent', 'silent'), 1)
    assert.equal(
      await connection.command('RPUSH', 'acks', 'silent:0:1'),
      '-CONS Local: Erroneous state\r\n',
    )
    assert.equal(await connection.command('BLPOP', key, '5'), shown('silent', 0, 1, 'b'))
    assert.equal(await members('silent'), 1)
    assert.equal(await connection.command('RPUSH', 'acks', 'silent:0:1'), ':1\r\n')
    await connection.command('QUIT')
    assert.equal(await committed(gateway, 'silent', 'silent'), 2)
  })

  it('stays while any command comes, or a call is waiting', async () => {
    await gateway.createTopic('pinging', 2)
    const key = `topics:pinging:${intervals}`
    const pinging = await named(gateway, 'pinging:one')
    assert.equal(await pinging.command('BLPOP', key, '0.01'), nothingCame)
    const waiting = await named(gateway, 'waiting:one')
    waiting.write(`blpop topics:pinging:${intervals} 60\r\n`)
    await until(
      'both are in',
      async () => (await members('pinging')) + (await members('waiting')) === 2,
    )
    await control('pinging', 'pinging-control', async () =>
      assert.equal(await pinging.command('PING'), '+PONG\r\n'),
    )
    assert.equal(await members('pinging'), 1)
    assert.equal(await members('waiting'), 1)
    const [described] = await gateway.client.admin.describeGroups(['pinging'])
    assert.equal(described?.members[0]?.assignment.length, 2)
  })

  it('is not one that has just waited for longer than that', async () => {
    await gateway.createTopic('patient')
    const patient = await named(gateway, 'patient:one')
    const key = `topics:patient:${intervals.replace('interval.ms":2000', 'interval.ms":4000')}`
    patient.write(`blpop ${key} 60\r\n`)
    // Silent from the start: it leaves after two seconds, and another after two more.
    await control('patient', 'patient-one')
    await control('patient', 'patient-two')
    await put(gateway, 'patient', ['a'])
    assert.equal(await patient.reply(), shown('patient', 0, 0, 'a'))
    // Its client works on the message; meanwhile everybody is looked at.
    await control('patient', 'patient-three')
    assert.equal(await members('patient'), 1)
    assert.equal(await patient.command('RPUSH', 'acks', 'patient:0:0'), ':1\r\n')
  })
})
