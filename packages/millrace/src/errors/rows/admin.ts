import type { ErrorRows } from '../row.ts'

export const adminErrors = {
  MR_ADMIN_GROUP_LIVE: {
    class: 'UsageError',
    retriable: false,
    message: ({
      group,
      members,
    }: {
      readonly group: string
      readonly members: readonly string[]
    }) => `the offsets of ${group} stay as they are while it has members: ${members.join(', ')}`,
    hint: 'Stop its workers first: they would go on from where they are, and commit over it.',
  },
  MR_ADMIN_GROUP_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ group, near }: { readonly group: string; readonly near: string | undefined }) =>
      `there is no group ${group}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: 'A declared group is called <clientId>_<group> at the broker; admin.groups.list() shows all.',
  },
  MR_ADMIN_GROUP_TAKEN: {
    class: 'UsageError',
    retriable: false,
    message: ({ group }: { readonly group: string }) => `the group ${group} has offsets already`,
    hint: 'Copy onto a new name, or delete that group first.',
  },
  MR_ADMIN_CLUSTER_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({
      cluster,
      known,
    }: {
      readonly cluster: string
      readonly known: readonly string[]
    }) => `there is no cluster ${cluster} in the configuration; there are ${known.join(', ')}`,
    hint: 'Name one of `clusters`, or leave it out for main.',
  },
} as const satisfies ErrorRows
