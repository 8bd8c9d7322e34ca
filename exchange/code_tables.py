"""Code tables of registration files (domain.md, 1.4): from every word accepted to the one kept."""

from collections.abc import Mapping

GENDERS: Mapping[str, str] = {"男": "男", "女": "女"}

LEVELS: Mapping[str, str] = {word: word for word in ("专科", "专升本", "高起本", "本科")} | {
    "专科起点本科": "专升本",
    "高中起点本科": "高起本",
}

STUDY_YEARS: Mapping[str, str] = {
    years: years for years in ("1.5", "2", "2.5", "3", "3.5", "4", "4.5", "5", "5.5", "6", "7", "8")
}

STUDY_MODES: Mapping[str, str] = {
    mode: mode
    for mode in (
        "普通全日制",
        "非全日制",
        "脱产",
        "业余",
        "函授",
        "夜大学",
        "网络教育",
        "开放教育",
    )
} | {
    "全日制": "普通全日制",
    "夜大": "夜大学",
    "半脱产": "业余",  # rule of 2001, domain.md 1.4
}

# GB/T 4762. Words only: one system's 13 is another's 0.
POLITICS: Mapping[str, str] = {
    word: word
    for word in (
        "中共党员",
        "预备党员",
        "共青团员",
        "民革",
        "民盟",
        "民建",
        "民进",
        "农工党",
        "致公党",
        "九三学社",
        "台盟",
        "无党派人士",
        "群众",
    )
} | {
    "中共预备党员": "预备党员",
    "民革会员": "民革",
    "民革党员": "民革",
    "民盟盟员": "民盟",
    "民建会员": "民建",
    "民进会员": "民进",
    "农工党党员": "农工党",
    "致公党党员": "致公党",
    "九三学社社员": "九三学社",
    "台盟盟员": "台盟",
}

# GB/T 3304 in its order, without 族; 毛难 and 崩龙 are the former names of 毛南 and 德昂.
_PEOPLES = (
    "汉",
    "蒙古",
    "回",
    "藏",
    "维吾尔",
    "苗",
    "彝",
    "壮",
    "布依",
    "朝鲜",
    "满",
    "侗",
    "瑶",
    "白",
    "土家",
    "哈尼",
    "哈萨克",
    "傣",
    "黎",
    "傈僳",
    "佤",
    "畲",
    "高山",
    "拉祜",
    "水",
    "东乡",
    "纳西",
    "景颇",
    "柯尔克孜",
    "土",
    "达斡尔",
    "仫佬",
    "羌",
    "布朗",
    "撒拉",
    "毛南",
    "仡佬",
    "锡伯",
    "阿昌",
    "普米",
    "塔吉克",
    "怒",
    "乌孜别克",
    "俄罗斯",
    "鄂温克",
    "德昂",
    "保安",
    "裕固",
    "京",
    "塔塔尔",
    "独龙",
    "鄂伦春",
    "赫哲",
    "门巴",
    "珞巴",
    "基诺",
)
ETHNICITIES: Mapping[str, str] = (
    {f"{people}族": f"{people}族" for people in _PEOPLES}
    | {people: f"{people}族" for people in _PEOPLES}
    | {"毛难族": "毛南族", "崩龙族": "德昂族"}
    | {"其他": "其他", "外国血统中国籍人士": "外国血统中国籍人士"}
)

PRIOR_QUALIFICATIONS: Mapping[str, str] = {word: word for word in ("符合", "审核通过", "待审", "不符合")}
LEVEL_EXAMS: Mapping[str, str] = {word: word for word in ("合格", "不合格", "缺考")}
PHOTO_REVIEWS: Mapping[str, str] = {word: word for word in ("通过", "未通过", "待审")}
IDENTITY_CHECKS: Mapping[str, str] = {word: word for word in ("通过", "未通过", "未核")}
PHOTO_VENDORS: Mapping[str, str] = {word: word for word in ("新华社", "金沙江")}
CONCLUSIONS: Mapping[str, str] = {word: word for word in ("毕业", "结业")}
