import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { chooseBrokers, parseBrokers } from './cluster.ts'

describe('broker addresses', () => {
  it('are lists of host and port, with or without a scheme', () => {
    assert.deepEqual(parseBrokers('kafka://a:1,b', 'KAFKA_URL'), {
      brokers: ['a:1', 'b:9092'],
      isTls: false,
    })
    assert.deepEqual(parseBrokers('[::1]:9092', '--brokers').brokers, ['[::1]:9092'])
    assert.equal(parseBrokers('kafka+ssl://a:1,kafka+ssl://b:1', 'KAFKA_URL').isTls, true)
    for (const text of ['a:b', '', 'http://a:1', 'kafka://a:1,kafka+ssl://b:1', 'a:99999'])
      assert.throws(() => parseBrokers(text, '--brokers'), { code: 'MR_CLI_USAGE' }, text)
  })

  it('never show a password when they are wrong', () => {
    assert.throws(
      () => parseBrokers('kafka://me:hunter2@a:1', 'KAFKA_URL'),
      (error: Error) => !error.message.includes('hunter2'),
    )
  })
})

describe('the choice of a cluster', () => {
  const nowhere = { brokers: undefined, config: undefined, folder: '/nowhere' }

  it('takes the flag before KAFKA_URL before the usual port', async () => {
    const env = { KAFKA_URL: 'kafka://a:1' }
    const flag = await chooseBrokers({ ...nowhere, brokers: 'b:2', env })
    assert.deepEqual(flag, { brokers: ['b:2'], origin: '--brokers' })
    const variable = await chooseBrokers({ ...nowhere, env })
    assert.deepEqual(variable, { brokers: ['a:1'], origin: 'KAFKA_URL' })
  })

  it('reads PEM texts from the environment, and checks their chain instead of the host name', async () => {
    const env = {
      KAFKA_URL: 'kafka+ssl://a:1',
      KAFKA_TRUSTED_CERT: 'ca',
      KAFKA_CLIENT_CERT: 'cert',
      KAFKA_CLIENT_CERT_KEY: 'key',
    }
    const { tls } = await chooseBrokers({ ...nowhere, env })
    assert.deepEqual(tls, { ca: 'ca', checksHostName: false, cert: 'cert', key: 'key' })
    const plain = await chooseBrokers({ ...nowhere, env: { KAFKA_URL: 'kafka+ssl://a:1' } })
    assert.deepEqual(plain.tls, {}, 'without a certificate of its own the host name is checked')
  })
})
