export type { LaneOptions, LaneRules, OrderScope } from './options.ts'
export { LaneSchedule, type LaneJob } from './schedule.ts'
export { planLanes } from './validate.ts'
