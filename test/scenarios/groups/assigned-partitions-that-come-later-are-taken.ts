/**
 * Without a group: partitions that are not there yet are told of once and taken when they come, `all` takes new ones, and
 * positions are kept by whoever asks for it.
 */
import assert from 'node:assert/strict'
import type { OwnedPartition } from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { scenario } from '../../harness/scenario.ts'

await scenario(
  { topics: { orders: { partitions: 1 }, users: { partitions: 1 } } },
  async (scene) => {
    const { client, until, topic } = scene
    const told: unknown[] = []
    const assigned: string[] = []
    const released: string[] = []
    const places = (partitions: readonly OwnedPartition[]): string[] =>
      partitions.map(
        (one) => `${one.topic === topic('orders') ? 'orders' : 'users'}/${one.partition}`,
      )
    const options = {
      topics: { [topic('orders')]: [0, 1], [topic('users')]: 'all' as const },
      groupId: scene.group('positions'),
      onAssigned: (partitions: readonly OwnedPartition[]) =>
        void assigned.push(...places(partitions)),
      onReleased: (partitions: readonly OwnedPartition[]) =>
        void released.push(...places(partitions)),
      onError: (error: unknown) => void told.push(error),
    }
    scene.watch('assigned', () => assigned)
    await using first = client.assign(options)
    await first.ready()
    assert.equal(first.state, 'assigned')
    assert.deepEqual(assigned.toSorted(), ['orders/0', 'users/0'])
    assert.equal(told.length, 1)
    const [error] = told
    assert.ok(isFailure(error, 'MR_ASSIGNMENT_MISSING') && error.message.includes('/1'))

    await client.admin.createPartitions([
      { name: topic('orders'), count: 3 },
      { name: topic('users'), count: 2 },
    ])
    await until('what came is taken', () => assigned.length === 4)
    assert.deepEqual(assigned.toSorted(), ['orders/0', 'orders/1', 'users/0', 'users/1'])
    assert.equal(told.length, 1, 'once')

    await scene.send(
      'orders',
      [0, 1, 2].map((partition) => ({ partition, value: 'a' })),
    )
    const one = first.owned.find((own) => own.topic === topic('orders') && own.partition === 1)
    assert.ok(one)
    await until('it is there', () => one.buffered > 0)
    assert.equal(one.take(10).length, 1)
    assert.deepEqual(
      await first.commit([{ partition: one, offset: one.position, metadata: 'note' }]),
      ['committed'],
    )
    await first.close()
    assert.deepEqual(released.toSorted(), assigned.toSorted())
    assert.equal(one.isOwned, false)
    assert.deepEqual(await first.commit([{ partition: one, offset: 1 }]), ['fenced'])

    // Another begins where that one stood, and with nobody's positions at the earliest.
    await using second = client.assign(options)
    await second.ready()
    const again = second.owned.find((own) => own.topic === topic('orders') && own.partition === 1)
    assert.deepEqual(again?.committed, { offset: 1, metadata: 'note' })
    await using third = client.assign({ topics: { [topic('orders')]: [1] } })
    await third.ready()
    const [fresh] = third.owned
    assert.ok(fresh)
    await until('it reads from the start', () => fresh.buffered > 0)
    assert.deepEqual(
      await third.commit([{ partition: fresh, offset: 1 }]),
      ['committed'],
      'nowhere',
    )
    assert.throws(
      () => client.assign({ topics: { orders: [0, 0, -1] } }),
      (wrong: unknown) => isFailure(wrong, 'MR_ASSIGNMENT_INVALID'),
    )
  },
)
