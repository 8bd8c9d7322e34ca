"""Syllables that names of invented students are put together from."""

SURNAMES = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜",
    *"叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎",
    *"贺顾毛郝龚邵万钱严覃武戴莫孔向汤",
    "欧阳",
    "司马",
    "上官",
    "诸葛",
)

# By gender: characters a given name of one or two syllables is made of.
GIVEN_SYLLABLES = {
    "男": "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆旭宁龙林志文建国海晨子家一天博泽瑞峰",
    "女": "芳娜敏静丽艳娟霞燕玲婷雪慧莹倩颖洁梅琳丹萍红玉佳欣怡梦思雨晓春秋兰云月彤蕾薇妍悦诗语涵",
}

# By gender: a people, and the parts its names have before and after the middle dot.
_UYGHUR_FATHERS = ("买买提", "依明", "卡德尔", "热合曼")
_KAZAKH_FATHERS = ("哈力", "木拉提", "赛力克")
DOTTED_NAMES = {
    "男": (
        ("维吾尔族", ("艾山", "吐尔洪", "阿迪力", "库尔班", "亚森"), _UYGHUR_FATHERS),
        ("哈萨克族", ("叶尔兰", "巴合提", "努尔兰"), _KAZAKH_FATHERS),
    ),
    "女": (
        ("维吾尔族", ("阿依古丽", "古丽娜", "热依拉", "帕提古丽"), _UYGHUR_FATHERS),
        ("哈萨克族", ("阿依努尔", "古丽扎", "巴哈尔"), _KAZAKH_FATHERS),
    ),
}
