import { logits } from './harness.mjs';
import { loss } from './losses.mjs';

const teacherLogits = ({ elements }) => logits(elements, 2);

let teacherRow = new Float64Array(0);

function distillation(student, teacher, gradient, rows, n) {
  if (teacherRow.length < n) teacherRow = new Float64Array(n);
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * n;
    const end = start + n;
    let studentMax = -Infinity;
    let teacherMax = -Infinity;
    for (let i = start; i < end; i++) {
      if (student[i] > studentMax) studentMax = student[i];
      if (teacher[i] > teacherMax) teacherMax = teacher[i];
    }
    let studentSum = 0;
    let teacherSum = 0;
    let cross = 0;
    for (let i = start; i < end; i++) {
      const s = student[i] - studentMax;
      const t = teacher[i] - teacherMax;
      const studentExp = Math.exp(s);
      const teacherExp = Math.exp(t);
      studentSum += studentExp;
      teacherSum += teacherExp;
      cross += teacherExp * (t - s);
      if (gradient !== undefined) {
        gradient[i] = studentExp;
        teacherRow[i - start] = teacherExp;
      }
    }
    total += cross / teacherSum + Math.log(studentSum / teacherSum);
    if (gradient !== undefined) {
      const studentScale = 1 / (studentSum * rows);
      const teacherScale = 1 / (teacherSum * rows);
      for (let i = start; i < end; i++) gradient[i] = gradient[i] * studentScale - teacherRow[i - start] * teacherScale;
    }
  }
  return total / rows;
}

export default loss('distillation', teacherLogits, distillation);
