import { alarmCaution, Vigilance } from './vigilance.ts';

function after(events: number, vigilance: Vigilance): Vigilance {
  for (let i = 0; i < events; i++) vigilance.served();
  return vigilance;
}

describe('Vigilance', () => {
  it('holds theta back after an alarm and gives everything back', () => {
    const vigilance = new Vigilance();
    expect([vigilance.caution, vigilance.factor]).toEqual([0, 1]);
    vigilance.alarm();
    expect([vigilance.caution, vigilance.factor]).toEqual([alarmCaution, 5]);
    after(2000, vigilance);
    expect(vigilance.caution).toBe(alarmCaution);
    after(500, vigilance);
    expect(vigilance.caution).toBeCloseTo(alarmCaution / 2, 12);
    after(500, vigilance);
    expect([vigilance.caution, vigilance.factor]).toEqual([0, 1]);
  });

  it('never adds up the alarms of one excursion', () => {
    const vigilance = new Vigilance();
    for (let alarm = 0; alarm < 5; alarm++) {
      vigilance.alarm();
      expect(vigilance.caution).toBe(alarmCaution);
      after(300, vigilance);
    }
    expect(after(2700, vigilance).caution).toBe(0);
  });
});
