import { defineMachine, drawMachine, type Transitions } from './machine.ts';

type Door = 'open' | 'closed' | 'locked';
const door: Transitions<Door> = { open: ['closed'], closed: ['open', 'locked'], locked: ['closed'] };

describe('a state machine', () => {
  it('goes where its table lets it, and tells of each step', () => {
    const steps: string[] = [];
    const machine = defineMachine('door', door, { start: 'open', onChange: (from, to) => steps.push(`${from}>${to}`) });
    machine.to('closed');
    machine.to('locked');
    expect(machine.state).toBe('locked');
    expect(machine.is('open', 'locked')).toBe(true);
    expect(machine.is('open')).toBe(false);
    expect(steps).toEqual(['open>closed', 'closed>locked']);
  });

  it('refuses any other step, stays where it is and tells nobody', () => {
    const onChange = jest.fn();
    const machine = defineMachine('door', door, { start: 'open', onChange });
    expect(() => machine.to('locked')).toThrow('door: open cannot become locked');
    expect(() => machine.to('open')).toThrow('door: open cannot become open');
    expect(machine.state).toBe('open');
    expect(onChange).not.toHaveBeenCalled();
  });

  it('two machines of one table do not share their state', () => {
    const [one, other] = [defineMachine('a', door, { start: 'open' }), defineMachine('b', door, { start: 'open' })];
    one.to('closed');
    expect(other.state).toBe('open');
  });

  it('draws every transition once', () => {
    expect(drawMachine(door)).toBe('stateDiagram-v2\n  open --> closed\n  closed --> open\n  closed --> locked\n  locked --> closed');
  });
});
